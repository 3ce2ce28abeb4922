"""Copies of a text that say the same: other names, the other gender, small slips of the keyboard, no capitals or full stops.

A message is read several times in training; some of the copies are changed, so that the network learns what does not
matter. A changed copy has no marked rationales, because the marks are places in the text.
"""

import dataclasses
import re

# First names from many languages, without those that are common words.
NAMES = (
    "Aaliyah Aaron Abdul Adaeze Agnieszka Ahmed Aisha Akira Alejandro Alexei Amara Amir Amy Ana Anders Andrew Angela Anil Anita "
    "Anna Antonio Arjun Ayesha Beatriz Ben Bianca Bilal Boris Brenda Brian Bruno Camila Carlos Caroline Carmen Catherine Charles Chidi "
    "Chen Chinedu Chloe Claire Connor Craig Cristina Daniel Darnell David Deborah Deepak DeShawn Diego Dimitri Dmitri Ebony Elena Elif Emeka "
    "Emily Emma Enrique Eric Esther Ewa Fatima Fatou Fernando Fiona Francesca Gabriela Gareth Gemma George Giulia Greg Guadalupe Hannah Hans "
    "Hassan Helen Hiroshi Hiro Hussein Ibrahim Igor Ines Ingrid Isabel Ivan Jamal James Jamila Jan Jasmine Javier Jennifer Jin Joanna John Jose "
    "Juan Julia Karen Karim Katarzyna Keisha Kenji Kevin Khadija Kofi Kwame Lakisha Lars Laura Leila Li Lin Linda Luca Lucia Luis Magda "
    "Mahmoud Malik Marcus Maria Mariam Mario Marta Mary Mateo Mehmet Mei Michael Miguel Mohammed Monika Nadia Naomi Natasha Ngozi Nguyen Nia "
    "Nikhil Nina Noor Olga Oluwaseun Omar Pablo Patricia Pedro Peter Petra Priya Rachel Raj Rajesh Ravi Rebecca Ricardo Robert Rosa Samira "
    "Sandra Sanjay Sara Sarah Sean Sergei Shanice Sharon Simon Sofia Stefan Steve Susan Sven Tamika Tariq Thandi Thomas Tomasz Tunde "
    "Tyrone Valentina Vikram Viktor Wanjiru Wei Xin Yasmin Yuki Yusuf Zainab Zofia"
).split()
_KNOWN = re.compile(r"\b(" + "|".join(NAMES) + r")\b")
_NUMBER = re.compile(r"\d{4,}")


def rename(text, rng):
    """Other names and other long numbers; the same one stays the same within a text."""
    names, numbers = {}, {}
    text = _KNOWN.sub(lambda m: names.setdefault(m[0], rng.choice(NAMES)), text)
    return _NUMBER.sub(
        lambda m: numbers.setdefault(m[0], m[0][0] + "".join(rng.choice("0123456789") for _ in m[0][1:])), text
    )


# Words for women and for men, each in the place of the other; of two for one, the first is the way back. "her" stands for two
# words, see `other_gender`.
_PAIRS = (
    "she he, hers his, herself himself, woman man, women men, girl boy, girls boys, wife husband, girlfriend boyfriend, mother father, "
    "mom dad, mum dad, mommy daddy, mummy daddy, daughter son, daughters sons, sister brother, sisters brothers, aunt uncle, niece nephew, "
    "grandmother grandfather, grandma grandpa, nan grandad, granddaughter grandson, stepmother stepfather, widow widower, "
    "lady gentleman, ladies gentlemen, madam sir, ma'am sir, mrs mr, ms mr"
)
_BOTH = [tuple(pair.split()) for pair in _PAIRS.split(", ")]
_OTHER = dict(_BOTH) | {man: woman for woman, man in reversed(_BOTH)} | {"her": "his", "his": "her", "him": "her"}
_GENDERED = re.compile(r"\b(" + "|".join(sorted(_OTHER, key=len, reverse=True)) + r")\b(?=(\W*)(\w*))", re.IGNORECASE)
# After "her" as an object comes one of these, or no word at all.
_NO_NOUN = set(
    "a about after again all an and any anything as at back because before but by can every everything for from he her his how i if in "
    "into is it just last my no now of off on once or our out over right she so some something that the their them then they this through "
    "to today tomorrow tonight too twice until up very was we what when where which while who why will with without yesterday you "
    "your".split()
)


def other_gender(text):
    """Women become men, and men women; names stay."""

    def swap(m):
        word, gap, after = m[1], m[2], m[3].lower()
        other = _OTHER[word.lower()]
        if word.lower() == "her" and (gap != " " or not after or after in _NO_NOUN):
            other = "him"
        if word.isupper() and len(word) > 1:
            return other.upper()
        return other.capitalize() if word[0].isupper() else other

    return _GENDERED.sub(swap, text)


def slip(word, rng):
    """One slip in a word of four letters or more."""
    at = rng.randrange(1, len(word) - 1)
    kind = rng.randrange(4)
    if kind == 0:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if kind == 1:
        return word[:at] + word[at + 1 :]
    if kind == 2:
        return word[:at] + word[at] + word[at:]
    return word[:at] + rng.choice("abcdefghijklmnoprstuvwy") + word[at + 1 :]


def mistype(text, rng, share=0.08):
    return re.sub(
        r"[a-z]{4,}", lambda m: slip(m[0], rng) if rng.random() < share else m[0], text
    )


def varied(example, rng):
    """The example, or a copy of it that says the same in other letters."""
    if rng.random() < 0.5:
        return example
    text = rename(example.text, rng)
    if rng.random() < 0.5:
        text = other_gender(text)
    kind = rng.random()
    if kind < 0.45:
        text = mistype(text, rng)
    elif kind < 0.6:
        text = re.sub(r"[.,;:!'’]", "", text.lower())
    elif kind < 0.66:
        text = text.upper()
    return dataclasses.replace(example, text=text, rationales=None, meta=dict(example.meta))
