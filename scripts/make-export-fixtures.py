#!/usr/bin/env python3
"""Writes the fixtures of tests/fixtures/exports/ that no editor can write: other encodings, NULs, gzip, workbooks.

Standard library only; the same bytes every time. Everything in them is invented.
"""

import gzip
import io
import pathlib
import zipfile
from xml.sax.saxutils import escape

OUT = pathlib.Path(__file__).resolve().parent.parent / "tests" / "fixtures" / "exports"

TABLE = (
    "id,comment,score\r\n"
    "007,Très déçu – le café était froid,2\r\n"
    "008,“Parfait”, 10\r\n"
    "009,Señor Müller est très aimable,9\r\n"
)

SURVEY_MONKEY = [
    ["Respondent ID", "Collector ID", "Start Date", "End Date", "IP Address", "What went <i>well</i>?", "How satisfied are you?"],
    [None, None, None, None, None, None, None],
    [118300001, 4002, 46082.375, 46082.380, "192.0.2.30", "The queue was short & the staff was kind", 5],
    [118300002, 4002, 46082.5, 46082.75, "192.0.2.31", "Nothing at all, it was a waste of time", 1],
    [118300003, 4002, 46083.25, 46083.5, "192.0.2.32", None, 3],
]

LABELLED = [
    ["Respondent ID", "Collector ID", "Start Date", "End Date", "Tell us more", "Which did you use?"],
    [None, None, None, None, "Open-Ended Response", "Phone", "Other (please specify)"],
    ["00118400001", "4003", 46082, 46082.5, "The agent hung up on me", "Phone", None],
    ["00118400002", "4003", 46083, 46083.5, None, None, "A carrier pigeon was involved"],
]


def column(number):
    name = ""
    while number >= 0:
        name = chr(65 + number % 26) + name
        number = number // 26 - 1
    return name


def sheet(rows, dates):
    """A sheet with shared texts; a row of nothing but None is left out, as SurveyMonkey's second row is."""
    shared, xml = [], []
    for at, row in enumerate(rows, 1):
        cells = []
        for number, value in enumerate(row):
            if value is None:
                continue
            place = f"{column(number)}{at}"
            if isinstance(value, str):
                if value not in shared:
                    shared.append(value)
                cells.append(f'<c r="{place}" t="s"><v>{shared.index(value)}</v></c>')
            else:
                style = ' s="1"' if number in dates else ""
                cells.append(f'<c r="{place}"{style}><v>{value}</v></c>')
        if cells:
            xml.append(f'<row r="{at}">{"".join(cells)}</row>')
    return "".join(xml), shared


def workbook(rows, dates):
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    content = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    data, shared = sheet(rows, dates)
    texts = "".join(f'<si><t xml:space="preserve">{escape(text)}</t></si>' for text in shared)
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{content}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{content}.worksheet+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{content}.styles+xml"/>'
        f'<Override PartName="/xl/sharedStrings.xml" ContentType="{content}.sharedStrings+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="rId1" Type="{relation}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook {main} xmlns:r="{relation}"><sheets>'
        '<sheet name="Responses" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="rId1" Type="{relation}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{relation}/styles" Target="styles.xml"/>'
        f'<Relationship Id="rId3" Type="{relation}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet {main}><cellXfs count="2"><xf numFmtId="0"/>'
        '<xf numFmtId="22" applyNumberFormat="1"/></cellXfs></styleSheet>',
        "xl/sharedStrings.xml": f'<sst {main} count="{len(shared)}" uniqueCount="{len(shared)}">{texts}</sst>',
        "xl/worksheets/sheet1.xml": f"<worksheet {main}><sheetData>{data}</sheetData></worksheet>",
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(zipfile.ZipInfo(name), head + text, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def main():
    many = "id,comment\n" + "".join(f"{n:04},row {n} of a file that is cut off\n" for n in range(1, 1001))
    commented = "id,comment\n1,{}\n2,the cell above is long\n"
    files = {
        "windows_1252.csv": TABLE.encode("cp1252"),
        "utf16le.csv": b"\xff\xfe" + TABLE.encode("utf-16-le"),
        "utf16be.csv": b"\xfe\xff" + TABLE.encode("utf-16-be"),
        "utf16le_tabs.txt": b"\xff\xfe" + TABLE.replace(",", "\t").encode("utf-16-le"),
        "wrong_byte.csv": TABLE.encode() + b"010,caf\xe9 au lait,3\r\n011,fin de la liste,4\r\n",
        "nul.csv": b"id,comment\n1,before\x00after the nul\n2,no nul at all here\n",
        "long_cell.csv": commented.format("word " * 8192).encode(),
        "gzipped.csv.gz": gzip.compress(TABLE.encode(), mtime=0),
        "cut_off.csv.gz": gzip.compress(many.encode(), mtime=0)[:-40],
        "surveymonkey.xlsx": workbook(SURVEY_MONKEY, {2, 3}),
        "surveymonkey_labels.xlsx": workbook(LABELLED, {2, 3}),
    }
    for name, data in files.items():
        (OUT / name).write_bytes(data)


if __name__ == "__main__":
    main()
