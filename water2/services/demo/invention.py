"""What the demonstration is made of: invented estates, people and firms. None of them exists.

Telephone numbers begin with 0000, which no exchange gives out.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random

SEED = 20221109
ESTATES = (
    "听潮", "望岫", "栖云", "映月", "枕溪", "松籁", "荷塘", "青岚", "梧桐", "竹影",
    "鹤鸣", "杏林", "橘洲", "雁归", "石榴", "桂香", "柳浪", "樟树", "梅坞", "兰汀",
)  # fmt: skip
ENDINGS = ("花园", "公馆", "雅苑", "府", "里")
STREETS = ("清波路", "丰收街", "学士路", "望江巷", "磨盘街", "采薇路")
DISTRICTS = ("城东片区", "城西片区", "滨江片区")
SURNAMES = "顾岑傅裴祁柯厉卓苗凌"
GIVEN = ("禾", "知远", "晓棠", "牧之", "闻笛", "清越", "子衿", "若谷", "南乔", "予安")
CONTRACTORS = ("涤源清洗服务队（演示）", "澄川水箱养护有限公司（演示）")
LABORATORY = "明渠水质检测有限公司（演示）"
DISINFECTANTS = ("次氯酸钠消毒液", "二氧化氯消毒剂")


@dataclass(frozen=True)
class Estate:
    """A facility as invented, in the words of the utility's own register."""

    code: str
    name: str
    district: str
    address: str
    supply: str
    kind: str
    accepted_on: date | None
    handed_over_on: date | None
    in_service_on: date | None
    manager: str | None
    tanks: tuple[str, ...]
    volume_m3: int
    isolable: bool


@dataclass(frozen=True)
class Person:
    """Somebody on the utility's list; `examined` are the days of the health checks."""

    code: str
    name: str
    employer: str
    post: str
    handles_water: bool
    trained_on: date | None
    examined: tuple[date, ...]


OUTSIDE = ("多层住宅", "多层住宅", "消防", "直饮水")
INSIDE_ESTATES = ("高层办公楼", "高层办公楼", "公寓", "公寓")
ORDINARY = 29


def invent_estates(random: Random, today: date, managers: list[str]) -> list[Estate]:
    """Return forty facilities: most of them ordinary, and each kind of exception."""
    kinds = ["高层住宅"] * ORDINARY + [*INSIDE_ESTATES, *OUTSIDE]
    found = [_estate(random, today, number, kind, managers) for number, kind in enumerate(kinds, 1)]
    first = len(kinds) + 1
    return [
        *found,
        replace(_estate(random, today, first, "高层住宅", managers), supply="管网叠压", tanks=()),
        replace(
            _estate(random, today, first + 1, "高层住宅", managers),
            accepted_on=today - timedelta(days=75),
            handed_over_on=None,
            in_service_on=None,
            manager=None,
        ),
        replace(
            _estate(random, today, first + 2, "高层住宅", managers),
            accepted_on=today - timedelta(days=40),
            handed_over_on=today - timedelta(days=12),
            in_service_on=today + timedelta(days=18),
        ),
    ]


def _estate(random: Random, today: date, number: int, kind: str, managers: list[str]) -> Estate:
    in_service_on = today - timedelta(days=random.randint(800, 930))
    name = (
        ESTATES[number % len(ESTATES)] + ENDINGS[(number // len(ESTATES) + number) % len(ENDINGS)]
    )
    tanks = tuple(f"{tank}#" for tank in range(1, random.choice((1, 2, 2, 2, 3)) + 1))
    return Estate(
        code=f"QP-{number:03d}",
        name=name,
        district=DISTRICTS[number % len(DISTRICTS)],
        address=f"{random.choice(STREETS)}{random.randint(1, 300)}号",
        supply=random.choice(("水箱+变频", "水箱+变频", "水箱+工频", "箱式无负压")),
        kind=kind,
        accepted_on=in_service_on - timedelta(days=random.randint(60, 120)),
        handed_over_on=in_service_on - timedelta(days=random.randint(10, 50)),
        in_service_on=in_service_on,
        manager=None if number == 7 else managers[number % len(managers)],
        tanks=tanks,
        volume_m3=random.choice((12, 18, 24, 36)),
        isolable=len(tanks) > 1,
    )


HEALTHY = (75, 110, 140, 170, 200, 230, 260, 290, 320)
"""Days until the last certificate of those who are in order."""
LAPSING = (6, 15, 27)
LAPSED = (-12,)


def invent_people(random: Random, today: date, own_firm: str) -> list[Person]:
    """Return twenty-five people: three managers, crews of the utility and of two contractors."""
    employers = [own_firm] * 15 + [CONTRACTORS[0]] * 6 + [CONTRACTORS[1]] * 4
    days_left = [*LAPSED, *LAPSING, *HEALTHY, *HEALTHY]
    found: list[Person] = []
    for number, employer in enumerate(employers, 1):
        name = SURNAMES[number % len(SURNAMES)] + GIVEN[(number * 3 + number // 10) % len(GIVEN)]
        manages = number <= 3
        newcomer = number == len(employers)
        left = days_left[number % len(days_left)]
        examined = () if manages or newcomer else _examinations(today, left)
        trained_on = examined[0] if examined else today - timedelta(days=random.randint(2, 9))
        post = "管理" if manages else "运维" if employer == own_firm else "清洗"
        found.append(
            Person(f"QP{number:03d}", name, employer, post, not manages, trained_on, examined)
        )
    return found


def _examinations(today: date, days_left: int) -> tuple[date, ...]:
    """Return yearly health checks, the last of which lapses in so many days."""
    last = today + timedelta(days=days_left - 365)
    return tuple(last - timedelta(days=355 * years) for years in (2, 1, 0))
