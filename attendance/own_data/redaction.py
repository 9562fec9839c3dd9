"""Other people's names out of what was typed about a student."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

WORD = re.compile(r"[^\W_]+")
SOMEBODY = "[…]"
SHORTEST_NUMBER = 4
"""A shorter student number is a number like any other, and would take minutes and rooms with it."""


@dataclass(frozen=True, slots=True)
class Person:
    """How somebody else is called; ``is_near``: of a course of the student, where a first name alone says who."""

    given_name: str
    family_name: str
    number: str
    email: str
    is_near: bool


@dataclass(slots=True)
class Redactor:
    """Finds other people's names, numbers and addresses in a text and puts ``[…]`` in their place.

    Whole names, numbers and addresses in any case; of classmates also a single name as it is written, unless the
    student has it too. Patterns are kept by their first word, so that a text costs what its own words cost.
    """

    own: frozenset[str]
    """The student's own names, number and address, casefolded."""
    _patterns: dict[str, list[re.Pattern[str]]] = field(default_factory=lambda: defaultdict(list))

    def learn(self, people: Iterable[Person]) -> Redactor:
        for person in people:
            whole = [
                f"{person.given_name} {person.family_name}",
                f"{person.family_name}, {person.given_name}",
                f"{person.family_name} {person.given_name}",
                person.email,
                person.number if len(person.number) >= SHORTEST_NUMBER else "",
            ]
            for text in whole:
                self._add(text, re.IGNORECASE)
            if person.is_near or not person.family_name:
                for text in (person.given_name, person.family_name):
                    self._add(text, re.NOFLAG)
        return self

    def clean(self, text: str) -> str:
        """The text without anybody else."""
        words = {word.casefold() for word in WORD.findall(text)}
        found = {pattern for word in words for pattern in self._patterns.get(word, ())}
        for pattern in sorted(found, key=lambda each: (-len(each.pattern), each.pattern)):
            text = pattern.sub(SOMEBODY, text)
        return text

    def _add(self, text: str, flags: re.RegexFlag) -> None:
        words = WORD.findall(text)
        if not words or text.casefold().strip() in self.own:
            return
        # Between the words of a name may stand anything but another word: "ana_cole.jpg", "COLE / Ana".
        middle = r"[\W_]+".join(map(re.escape, words))
        pattern = re.compile(rf"(?<![^\W_]){middle}(?![^\W_])", flags)
        self._patterns[words[0].casefold()].append(pattern)
