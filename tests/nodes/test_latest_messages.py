from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, RemoveMessage

from nodes.packet import summary
from nodes.state import MESSAGES_IN_STATE, latest_messages


def conversation(count: int) -> list[AnyMessage]:
    return [HumanMessage(f"line {place}", id=str(place)) for place in range(count)]


def test_the_last_messages_stay_in_order() -> None:
    kept = latest_messages(conversation(MESSAGES_IN_STATE), [AIMessage("and", id="a"), AIMessage("more", id="b")])
    assert MESSAGES_IN_STATE == len(kept)
    assert ["line 2", "and", "more"] == [kept[0].text, kept[-2].text, kept[-1].text]


def test_what_an_older_release_kept_of_a_long_conversation_is_cut_at_the_next_word() -> None:
    kept = latest_messages(conversation(5 * MESSAGES_IN_STATE), HumanMessage("here I am again", id="new"))
    assert (MESSAGES_IN_STATE, "here I am again") == (len(kept), kept[-1].text)


def test_a_message_said_again_under_its_id_takes_its_place_and_one_that_is_removed_goes() -> None:
    masked = latest_messages(conversation(3), HumanMessage("[card ••••4242]", id="1"))
    assert ["line 0", "[card ••••4242]", "line 2"] == [message.text for message in masked]
    assert ["line 0", "line 2"] == [
        message.text for message in latest_messages(conversation(3), [RemoveMessage(id="1")])
    ]


def test_the_desk_is_not_told_a_number_that_nobody_counted() -> None:
    assert "Messages from the customer: 3." in summary({"messages": conversation(3)}, [])
    assert f"Messages from the customer: {MESSAGES_IN_STATE} or more." in summary(
        {"messages": conversation(MESSAGES_IN_STATE)}, []
    )
