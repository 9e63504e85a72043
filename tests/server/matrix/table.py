"""Who may call what, written down a second time: from the outside, and not from what the code says of itself."""

from dataclasses import dataclass, field
from typing import Any, Literal

Rule = Literal[
    "open", "demo", "signed", "caller", "customer", "theirs", "own", "desk", "staff", "supervisor", "metrics"
]
"""`theirs`: the customer whose it is, and staff. `own`: that customer alone."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """How a route is asked. Names in braces are things of the owner's; `using` says which, where there are several."""

    rule: Rule
    body: dict[str, Any] | None = None
    params: dict[str, str] | None = None
    using: dict[str, str] = field(default_factory=dict)
    ok: tuple[int, ...] = (200,)
    """What who is let in is answered: 409 where nothing is in a state for it, which only they are told."""


HUMAN = {"role": "human", "content": "hi"}
RUN = {"assistant_id": "support", "input": {"messages": [HUMAN]}}
LET_IN = (200, 409)
"""Staff answer on a thread only when they hold its ticket; customers say what they like."""
PROPOSAL = {"kind": "refund", "target": "ch_1", "amount": 100, "ground": "goodwill", "reason": "late parcel"}
WAITING = {"action_id": "waiting", "digest": "waiting_digest"}
READING = Row(rule="theirs")
AT_THE_DESK = Row(rule="desk")
OPEN = Row(rule="open")

TABLE: dict[str, tuple[Row, ...]] = {
    "GET /ok": (OPEN,),
    "GET /healthz": (OPEN,),
    "GET /info": (OPEN,),
    "GET /readyz": (OPEN,),
    "GET /metrics": (Row(rule="metrics"),),
    "POST /sessions": (Row(rule="open", body={}),),
    "POST /demo/staff": (Row(rule="demo", body={"name": "Eve"}),),
    "GET /demo/inbox": (Row(rule="demo", params={"email": "jo@example.com"}),),
    "POST /webhooks/stripe": (Row(rule="signed", body={"id": "evt_1", "type": "refund.failed"}),),
    "POST /assistants/search": (Row(rule="caller", body={}),),
    "GET /assistants/{assistant}": (Row(rule="caller"),),
    "GET /assistants/{assistant}/graph": (Row(rule="caller"),),
    "GET /assistants/{assistant}/schemas": (Row(rule="caller"),),
    "GET /assistants/{assistant}/subgraphs": (Row(rule="caller"),),
    "POST /assistants/{assistant}/versions": (Row(rule="caller", body={}),),
    "POST /assistants/count": (Row(rule="caller", body={}),),
    "POST /threads": (Row(rule="customer", body={}),),
    "POST /threads/search": (Row(rule="caller", body={"limit": 100}),),
    "POST /threads/count": (Row(rule="caller", body={}),),
    "GET /threads/{thread_id}": (READING,),
    "PATCH /threads/{thread_id}": (Row(rule="own", body={"metadata": {"page": "billing"}}),),
    "DELETE /threads/{thread_id}": (Row(rule="own", using={"thread_id": "plain"}, ok=(204,)),),
    "POST /threads/{thread_id}/copy": (Row(rule="own", using={"thread_id": "open"}),),
    "GET /threads/{thread_id}/state": (READING,),
    "POST /threads/{thread_id}/state": (Row(rule="theirs", body={"values": {"stage": "success"}}, ok=(403,)),),
    "GET /threads/{thread_id}/state/{checkpoint_id}": (READING,),
    "POST /threads/{thread_id}/state/checkpoint": (
        Row(rule="theirs", body={"checkpoint": {"checkpoint_id": "{checkpoint_id}"}}),
    ),
    "POST /threads/{thread_id}/history": (Row(rule="theirs", body={}),),
    "GET /threads/{thread_id}/history": (READING,),
    "GET /threads/{thread_id}/messages": (READING,),
    "GET /threads/{thread_id}/stream": (READING,),
    "POST /threads/{thread_id}/commands": (
        Row(rule="theirs", body={"id": 1, "method": "input.respond", "params": {"interrupt_id": "1", "response": "x"}}),
        Row(rule="theirs", body={"id": 1, "method": "agent.getTree"}),
    ),
    "POST /threads/{thread_id}/stream/events": (Row(rule="theirs", body={"channels": ["values"]}),),
    "POST /threads/{thread_id}/runs": (Row(rule="theirs", body=RUN, ok=LET_IN),),
    "POST /threads/{thread_id}/runs/stream": (Row(rule="theirs", body=RUN, ok=LET_IN),),
    "POST /threads/{thread_id}/runs/wait": (Row(rule="theirs", body=RUN, ok=LET_IN),),
    "GET /threads/{thread_id}/runs": (READING,),
    "GET /threads/{thread_id}/runs/{run_id}": (READING,),
    "GET /threads/{thread_id}/runs/{run_id}/join": (READING,),
    "GET /threads/{thread_id}/runs/{run_id}/stream": (READING,),
    "POST /threads/{thread_id}/runs/{run_id}/cancel": (
        Row(rule="theirs", using={"thread_id": "busy", "run_id": "pending"}),
    ),
    "POST /runs": (Row(rule="customer", body=RUN),),
    "POST /runs/stream": (Row(rule="customer", body=RUN),),
    "POST /runs/wait": (Row(rule="customer", body=RUN),),
    "POST /chat": (
        Row(rule="customer", body={"message": "hi"}),
        Row(rule="own", body={"message": "hi", "thread_id": "{thread_id}"}),
    ),
    "POST /escalate": (Row(rule="own", body={"thread_id": "{plain}"}, ok=(202,)),),
    "POST /feedback": (Row(rule="own", body={"thread_id": "{thread_id}", "rating": 5}, ok=(201,)),),
    "GET /actions/{action_id}": (Row(rule="own"),),
    "POST /actions/{action_id}/confirmation": (
        Row(rule="own", body={"digest": "{digest}", "confirm": True}, ok=(202,)),
    ),
    "POST /actions/{action_id}/withdrawal": (Row(rule="own", body={"digest": "{digest}"}, using=WAITING),),
    "POST /actions/{action_id}/link": (Row(rule="own", using={"action_id": "link"}),),
    "GET /receipts/{number}": (READING,),
    "GET /desk/tickets": (AT_THE_DESK,),
    "GET /desk/tickets/{ticket_id}": (AT_THE_DESK,),
    "POST /desk/tickets/{ticket_id}/claim": (Row(rule="staff"),),
    "POST /desk/tickets/{ticket_id}/messages": (Row(rule="staff", body={"text": "hello"}, ok=(409,)),),
    "POST /desk/tickets/{ticket_id}/return": (Row(rule="staff", body={}, ok=(202, 409)),),
    "GET /desk/actions": (AT_THE_DESK,),
    "GET /desk/actions/{action_id}": (AT_THE_DESK,),
    "POST /desk/actions/{action_id}/decision": (
        Row(rule="staff", body={"digest": "{digest}", "approve": True, "reason": "fine"}, using=WAITING),
    ),
    "POST /desk/threads/{thread_id}/proposals": (Row(rule="staff", body=PROPOSAL, ok=(409,)),),
    "GET /desk/promises": (AT_THE_DESK,),
    "GET /desk/switches/automatic": (AT_THE_DESK,),
    "POST /desk/switches/automatic": (Row(rule="supervisor", body={"on": True, "reason": "fine"}),),
}
