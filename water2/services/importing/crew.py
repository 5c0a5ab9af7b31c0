"""Who did the work: whether each was fit that day, judged in bulk for old records."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from water2.domain.staff import CertificateKind, Staff
from water2.rules.fitness import Fitness, HealthCertificate, Training, judge_fitness
from water2.services.duty_evidence import certificates_of, health_certificate, training_of
from water2.services.importing.taking import Taking


class Crews:
    """People by 工号 with what they hold, and each person's fitness by day."""

    def __init__(self, taking: Taking) -> None:
        self.taking = taking
        self._people = taking.shelf(Staff, ("code",), "code")
        self._health: dict[str, list[HealthCertificate]] = defaultdict(list)
        self._training: dict[str, list[Training]] = defaultdict(list)
        self._judged: dict[tuple[str, date], Fitness] = {}
        self._read: set[str] = set()

    async def load(self, codes: Iterable[str]) -> None:
        """Read people and their certificates."""
        await self._people.load(codes)
        new = [row["id"] for row in self._people.all() if row["id"] not in self._read]
        self._read.update(new)
        work = self.taking.work
        for person, cards in (await certificates_of(work, CertificateKind.health, new)).items():
            self._health[person] = [health_certificate(card) for card in cards]
        for person, cards in (await certificates_of(work, CertificateKind.training, new)).items():
            self._training[person] = [training_of(card) for card in cards]

    def knows(self, code: str | None) -> bool:
        """Tell whether a code is a person's."""
        return self._people.get(code) is not None

    def ids_of(self, codes: Iterable[str]) -> dict[str, str]:
        """Return the id of each code that is a person's."""
        return {code: person["id"] for code in codes if (person := self._people.get(code))}

    def fitness(self, code: str, on: date) -> Fitness | None:
        """Judge a person as of a day (art. 17(2)); None for a code that is nobody's."""
        person = self._people.get(code)
        if person is None:
            return None
        if (code, on) not in self._judged:
            self._judged[code, on] = judge_fitness(
                on, self._training[person["id"]], self._health[person["id"]], self.taking.book
            )
        return self._judged[code, on]

    def violations(self, codes: Iterable[str], on: date) -> list[dict[str, object]]:
        """Name what each person lacked on the day of the work, with the article."""
        found: list[dict[str, object]] = []
        for code in sorted(codes):
            person, fitness = self._people.get(code), self.fitness(code, on)
            if person is None or fitness is None:
                continue
            found += [
                {
                    "obligation": reason.provision.obligation,
                    "article": reason.provision.article,
                    "person": person["id"],
                    "reason": reason.code,
                }
                for reason in fitness.reasons
            ]
        return found
