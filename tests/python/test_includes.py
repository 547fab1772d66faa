"""Every C++ file includes what it uses, itself or by a header of the project.

Most builds read the headers of `cmake/headers.cmake` once for all files, and so do not notice.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = [ROOT / "src", ROOT / "collectives", ROOT / "tests"]
INCLUDED_FROM = [ROOT, ROOT / "src", ROOT / "tests", ROOT / "tests" / "cpp"]
FILES = sorted(
    path
    for folder in FOLDERS
    for ending in ("cpp", "h", "cu")
    for path in folder.rglob(f"*.{ending}")
)


def of_std(*names: str) -> str:
    return rf"\bstd::(?:ranges::)?(?:{'|'.join(names)})\b"


GIVES = {
    "algorithm": of_std(
        "(all|any|none)_of", "clamp", "copy(_if|_n|_backward)?", "count(_if)?", "equal",
        "fill(_n)?", "find(_if|_if_not)?", "generate(_n)?", "is_sorted", "(lower|upper)_bound",
        "min", "max", "minmax", "(min|max|minmax)_element", "nth_element", "partition",
        "remove(_if)?", "replace", "reverse", "rotate", "shuffle", "(stable_)?sort", "transform",
        "unique",
    ),
    "array": of_std("array", "to_array"),
    "atomic": of_std("atomic", "memory_order_[a-z]+"),
    "chrono": of_std("chrono::[a-z]+"),
    "cstdint": of_std("u?int(8|16|32|64|ptr)_t"),
    "fmt/format.h": r"\bfmt::(format|print|format_to|runtime)\b",
    "fmt/ranges.h": r"\bfmt::join\b",
    "functional": of_std("function", "greater", "less", "plus", "multiplies", "reference_wrapper"),
    "gmock/gmock.h": r"\b(MATCHER|EXPECT_THAT|ASSERT_THAT)\b|\btesting::(ElementsAre|HasSubstr)\b",
    "gtest/gtest.h": r"\b(TEST|TEST_F|TEST_P|EXPECT_(EQ|NE|TRUE|FALSE|LT|LE|GT|GE|THROW|NEAR))\b",
    "limits": of_std("numeric_limits"),
    "map": of_std("(multi)?map"),
    "memory": of_std("(unique|shared|weak)_ptr", "make_(unique|shared)"),
    "mutex": of_std("mutex", "(lock_guard|unique_lock|scoped_lock)", "call_once"),
    "nlohmann/json.hpp": r"\bnlohmann::(ordered_)?json\b",
    "numeric": of_std("accumulate", "iota", "gcd", "lcm", "inner_product"),
    "optional": of_std("optional", "nullopt"),
    "random": of_std("mt19937(_64)?", "[a-z_]+_distribution"),
    "set": of_std("(multi)?set"),
    "span": of_std("span"),
    "string": of_std("string", "to_string"),
    "string_view": of_std("string_view"),
    "thread": of_std("j?thread", "this_thread::[a-z_]+"),
    "tuple": of_std("tuple", "tie"),
    "utility": of_std("exchange", "pair"),
    "variant": of_std("variant", "visit", "monostate"),
    "vector": of_std("vector"),
}  # fmt: skip
"""Headers, and words that need them."""
INSTEAD = {
    "nlohmann/json.hpp": {"nlohmann/json_fwd.hpp"},
    "fmt/format.h": {"fmt/ranges.h", "fmt/chrono.h"},
    "string_view": {"string"},
    "gtest/gtest.h": {"gmock/gmock.h"},
}
"""Headers that give the same, or enough of it."""


@cache
def headers_of(path: Path) -> frozenset[str]:
    """Headers outside of the project that a file includes, itself or by headers of the project."""
    text = path.read_text()
    found = set(re.findall(r"^ *# *include <([^>]+)>", text, flags=re.MULTILINE))
    for name in re.findall(r"^ *# *include \"([^\"]+)\"", text, flags=re.MULTILINE):
        places = [path.parent / name, *(folder / name for folder in INCLUDED_FROM)]
        header = next((place for place in places if place.is_file()), None)
        assert header is not None, f"{path}: {name} is nowhere"
        found |= headers_of(header)
    return frozenset(found)


def missing_in(path: Path) -> list[str]:
    """Headers that a file uses and does not include, each with a word that needs it."""
    code = re.sub(r"//[^\n]*|/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
    included = headers_of(path)
    return [
        f"{header} for {found[0]}"
        for header, words in GIVES.items()
        if not included & {header, *INSTEAD.get(header, ())} and (found := re.search(words, code))
    ]


def test_every_file_includes_what_it_uses() -> None:
    assert len(FILES) > 100
    missing = {str(path.relative_to(ROOT)): missing_in(path) for path in FILES}
    assert {name: headers for name, headers in missing.items() if headers} == {}


def test_a_missing_header_is_found(tmp_path: Path) -> None:
    (tmp_path / "own.h").write_text("#pragma once\n#include <vector>\n")
    file = tmp_path / "file.cpp"
    file.write_text('#include "own.h"\n// std::map\nstd::vector<std::optional<int>> values;\n')
    assert missing_in(file) == ["optional for std::optional"]


def test_every_precompiled_header_is_known() -> None:
    text = (ROOT / "cmake" / "headers.cmake").read_text()
    precompiled = set(re.findall(r"<([a-z_/.]+)>", text))
    assert "vector" in precompiled
    assert precompiled <= set(GIVES)
