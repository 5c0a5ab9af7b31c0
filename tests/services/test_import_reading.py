"""Files as they come: encodings, shapes, and what is no table at all."""

import io
import zipfile
from datetime import date, datetime, time

import openpyxl
import pytest

from tests.services.register_files import as_gb18030, as_utf8, as_utf8_with_bom, as_xlsx
from water2.services.importing.mapping import FileMapping, own_mappings, read_mapping
from water2.services.importing.opening import in_order, open_file
from water2.services.importing.source import FileError, Source

HEADER = "泵房编号,楼栋号,单元数,层数,供水分区"
ROW = "BY-001,1幢,2,18,低区"


def opened(text: str | bytes, name: str = "a.csv"):
    content = text.encode() if isinstance(text, str) else text
    return open_file(Source(name, content), "lishui")


def rows_of(text: str | bytes):
    return [(row.line, list(row.cells), row.problem) for row in opened(text).table.rows]


@pytest.mark.parametrize("shape", [as_utf8, as_utf8_with_bom, as_gb18030, as_xlsx])
def test_every_shape_of_a_file_gives_the_same_cells_and_lines(shape):
    plain = [(r.line, list(r.cells)) for r in open_file(as_utf8("用户"), "lishui").table.rows]
    other = [(r.line, list(r.cells)) for r in open_file(shape("用户"), "lishui").table.rows]
    assert other == plain


def test_a_line_break_inside_a_quoted_cell_counts_as_a_physical_line():
    text = f'{HEADER}\nBY-001,"1\n幢",2,18,低区\n\n{ROW}\n'
    assert [(line, problem) for line, _, problem in rows_of(text)] == [(2, None), (5, None)]


def test_a_quotation_mark_never_closed_costs_its_own_row_alone():
    text = f'{HEADER}\nBY-001,"1幢,2,18,低区\n{ROW}\n{ROW}\n'
    assert [(line, problem) for line, _, problem in rows_of(text)] == [
        (2, "quote_unclosed"),
        (3, None),
        (4, None),
    ]


def test_a_cell_longer_than_any_reader_takes_costs_its_own_row_alone():
    text = f"{HEADER}\n{ROW}\nBY-001,{'x' * 131_073},2,18,低区\n{ROW}\n"
    assert [(line, problem) for line, _, problem in rows_of(text)] == [
        (2, None),
        (3, "too_long"),
        (4, None),
    ]


@pytest.mark.parametrize("name", ["楼栋号", " 楼栋 号"])
def test_a_column_that_stands_twice_refuses_the_file_and_is_named(name):
    with pytest.raises(FileError) as refused:
        opened(f"{HEADER},{name}\n{ROW},2幢\n")
    assert refused.value.code == "column_repeated"
    assert refused.value.facts == {"columns": ["楼栋号"]}


def test_columns_nobody_reads_may_share_a_name():
    assert len(rows_of(f"{HEADER},备用,备用,,\n{ROW},,,,\n")) == 1


def test_a_formula_never_calculated_makes_its_row_unreadable_and_no_other():
    book = openpyxl.Workbook()
    for row in (HEADER, ROW, ROW):
        book.active.append(row.split(","))
    book.active["C3"] = "=1+1"
    out = io.BytesIO()
    book.save(out)
    found = [(line, problem) for line, _, problem in rows_of(out.getvalue())]
    assert found == [(2, None), (3, "formula_without_value")]


def test_rows_with_too_few_or_too_many_cells_are_named():
    text = f"{HEADER}\nBY-001,1幢\n{ROW},,\n{ROW},more\n"
    assert [problem for _, _, problem in rows_of(text)] == ["row_too_short", None, "row_too_long"]


def test_a_byte_that_fits_no_encoding_costs_its_own_row_alone():
    good = f"{HEADER}\r\n{ROW}\r\n".encode("gb18030")
    found = rows_of(good + b"BY-001,\xff\xff,1,1,\r\n" + ROW.encode("gb18030"))
    assert found[0][1][1] == "1幢"
    assert "\ufffd" in found[1][1][1]
    assert found[2][1][4] == "低区"


def test_a_broken_byte_does_not_make_utf8_something_else():
    found = rows_of(f"{HEADER}\n{ROW}\n".encode() + b"BY-001,\xff,1,1,\n" + ROW.encode())
    assert [cells[1] for _, cells, _ in found] == ["1幢", "\ufffd", "1幢"]


def test_titles_above_the_column_names_are_passed_over():
    assert rows_of(f"楼栋一览,,,,\n,,,,\n{HEADER}\n{ROW}\n")[0][0] == 4


@pytest.mark.parametrize("delimiter", ["\t", ";"])
def test_other_delimiters_are_found(delimiter):
    text = f"{HEADER}\n{ROW}\n".replace(",", delimiter)
    assert rows_of(text)[0][1][0] == "BY-001"


def test_column_names_are_found_by_name_in_any_order_and_width():
    table = opened(" 楼栋号 ,泵房编号,备用\n1幢,BY-001,x\n")
    assert table.mapping.kind.name == "building"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param(b"", "empty_file", id="empty"),
        pytest.param(b"\xef\xbb\xbf\r\n", "empty_file", id="a BOM and nothing"),
        pytest.param(b"a,b\n1,2\n", "unknown_columns", id="other columns"),
        pytest.param("泵房编号\nBY-001\n".encode(), "unknown_columns", id="columns missing"),
        pytest.param(b"\x00\x01\x02\x03" * 9, "not_text", id="bytes"),
        pytest.param(b"PK\x03\x04 and then nothing", "not_a_workbook", id="a broken workbook"),
        pytest.param(b"\xd0\xcf\x11\xe0rest", "old_excel", id="an .xls"),
    ],
)
def test_what_is_no_table_says_so(content, code):
    with pytest.raises(FileError) as refused:
        opened(content)
    assert refused.value.code == code


def test_an_archive_that_is_no_workbook_is_none():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.txt", "b")
    with pytest.raises(FileError, match="not_a_workbook"):
        opened(out.getvalue())


def test_a_workbook_may_hold_real_dates_and_numbers():
    book = openpyxl.Workbook()
    book.active.title = "说明"
    sheet = book.create_sheet("水箱")
    sheet.append(["泵房编号", "水箱编号", "有效容积(m³)", "是否可隔离清洗", "启用日期", "材质"])
    midnight = datetime.combine(date(2025, 3, 5), time())
    sheet.append(["BY-001", 1, 12.5, True, midnight, None])
    sheet.append(["BY-001", 2.0, 30, False, midnight.date(), midnight.replace(hour=8, minute=30)])
    out = io.BytesIO()
    book.save(out)
    rows = [list(row.cells) for row in opened(out.getvalue(), "a.xlsx").table.rows]
    assert rows == [
        ["BY-001", "1", "12.5", "1", "2025-03-05", ""],
        ["BY-001", "2", "30", "0", "2025-03-05", "2025-03-05 08:30:00"],
    ]


def test_files_are_taken_in_the_order_they_depend_on_each_other():
    names = ("水质检测", "用户", "泵房台账", "楼栋")
    files = in_order(open_file(as_utf8(name), "lishui") for name in names)
    assert [file.mapping.kind.name for file in files] == [
        "facility",
        "building",
        "household",
        "sample",
    ]


def test_new_york_files_are_for_new_york():
    with pytest.raises(FileError, match="unknown_columns"):
        open_file(as_utf8("nyc"), "lishui")
    assert open_file(as_utf8("nyc"), "us-nyc").mapping.kind.name == "inspection"


def test_our_own_mappings_cover_every_kind():
    kinds = {mapping.kind.name for mapping in own_mappings()}
    assert kinds == {
        "facility",
        "tank",
        "building",
        "household",
        "staff",
        "cleaning",
        "sample",
        "inspection",
    }


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("kind = ", id="no TOML"),
        pytest.param('kind = "boat"\n[columns]', id="an unknown kind"),
        pytest.param('kind = "tank"\n[columns]\na = "colour"', id="an unknown field"),
        pytest.param('kind = "tank"\nkidn = 1\n[columns]', id="a misspelt key"),
    ],
)
def test_a_mapping_with_a_mistake_is_refused(text):
    with pytest.raises(FileError, match="mapping_invalid"):
        read_mapping(text)


def test_an_own_mapping_reads_any_columns_values_and_dates():
    mapping: FileMapping = read_mapping(
        """
        kind = "tank"
        date_formats = ["%d.%m.%y"]
        [columns]
        station = "facility_code"
        "tank no" = "code"
        used = "in_use_on"
        apart = "isolable"
        [values.isolable]
        X = "yes"
        "-" = "no"
        [constants]
        material = "steel"
        """
    )
    file = open_file(
        Source("a.csv", b"Station,Tank No,Used,Apart\nA,1,05.03.25,X\n"), "lishui", own=mapping
    )
    assert file.mapping is mapping
    with pytest.raises(FileError, match="wrong_kind"):
        open_file(Source("a.csv", b"x"), "lishui", "household", mapping)
