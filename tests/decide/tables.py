"""The tables of a Markdown page, by the heading above them."""

from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "deciding.md"


def table(heading: str) -> list[dict[str, str]]:
    """The rows of the first table under `### heading`; each row maps a column to its text."""
    section = PAGE.read_text(encoding="utf-8").split(f"\n### {heading}\n")[1]
    lines = section.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("|"))
    rows = [_cells(line) for line in lines[start:] if line.startswith("|")]
    end = next((i for i, line in enumerate(lines[start:]) if not line.startswith("|")), len(rows))
    header, _, *body = rows[:end]
    return [dict(zip(header, row, strict=True)) for row in body]


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]
