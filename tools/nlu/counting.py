"""Small numbers as customers write them, in English, German, Spanish and French."""

COUNTS = {
    word: count
    for count, words in {
        1: "one ein eine einer einen einem un una uno une", 2: "two zwei dos deux half halves",
        3: "three drei tres trois thirds", 4: "four vier cuatro quatre quarters",
        5: "five fünf cinco cinq", 6: "six sechs seis six", 7: "seven sieben siete sept", 8: "eight acht ocho huit",
        9: "nine neun nueve neuf", 10: "ten zehn diez dix", 12: "twelve zwölf doce douze",
    }.items()
    for word in words.split()
}  # fmt: skip
COUNT = rf"(?P<count>\d{{1,3}}|{'|'.join(sorted(COUNTS, key=len, reverse=True))})"


def count_of(word: str) -> int:
    return int(word) if word.isdigit() else COUNTS[word.lower()]
