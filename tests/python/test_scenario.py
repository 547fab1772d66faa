"""What is wrong with a simulated network: as it is asked for, and what it makes of a platform."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from busbar import fabrics, simulate
from busbar.cli import parse_options
from busbar.errors import UsageError
from busbar.launch.target import Simulated
from busbar.launch.where import Where, target_of
from busbar.record.models import Stopping
from busbar.simulate.description import Flap, PlacedLink, Platform
from busbar.simulate.scenario import Fault, Period
from platforms import NETWORK

_PLAIN = NETWORK.replace("wire_bytes = { value = 2,", "wire_bytes = { value = 1,")
"""Without headers."""
_SHARES = st.floats(min_value=1e-6, max_value=1, exclude_max=True)
_NAMES = st.from_regex(r"[a-z][a-z0-9.-]{0,20}", fullmatch=True)
_STOPPING = Stopping(relative_ci=0.02, min_samples=10, max_samples=1000, max_seconds=1.0)


def _file(folder: Path) -> str:
    path = folder / "net.toml"
    path.write_text(_PLAIN)
    return str(path)


def _platform(folder: Path) -> Platform:
    return simulate.platform_of(fabrics.load(_file(folder)), None, None, trees=1)


def _links(platform: Platform) -> dict[str, PlacedLink]:
    return {part.name: part for part in platform.parts if isinstance(part, PlacedLink)}


def _plain(number: float) -> str:
    return f"{number:.12f}"


@given(name=_NAMES, share=_SHARES)
def test_a_share_for_ever_is_read_as_it_is_written(name: str, share: float) -> None:
    text = _plain(share)
    if 0 < float(text) < 1:
        assert simulate.parse_fault(f"{name}={text}") == Fault(name, float(text))


@given(
    name=_NAMES,
    share=st.one_of(st.just(0.0), _SHARES),
    times=st.tuples(st.integers(1, 400), st.integers(401, 10_000)),
    unit=st.sampled_from(["us", "ms"]),
)
def test_a_flap_is_read_as_it_is_written(
    name: str, share: float, times: tuple[int, int], unit: str
) -> None:
    text = _plain(share)
    factor = {"us": 1, "ms": 1000}[unit]
    if float(text) < 1:
        fault = simulate.parse_fault(f"{name}={text}:{times[0]}{unit}/{times[1]}{unit}")
        assert fault == Fault(name, float(text), Period(times[0] * factor, times[1] * factor))


@given(st.text(alphabet="h1.tx=:/0589ums -e", max_size=24))
def test_anything_else_is_refused_in_a_sentence(text: str) -> None:
    try:
        fault = simulate.parse_fault(text)
    except UsageError as error:
        assert "accepted" in error.message
        return
    assert fault.link
    assert 0 <= fault.share < 1
    assert fault.share > 0 or fault.flap is not None
    assert fault.flap is None or 0 < fault.flap.for_us < fault.flap.every_us


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("h1", "accepted is NAME=SHARE or NAME=SHARE:FOR/EVERY"),
        ("=0.5", "accepted is NAME=SHARE"),
        ("h1=half", "accepted is NAME=SHARE"),
        ("h1=-0.5", "accepted is NAME=SHARE"),
        ("h1=nan", "accepted is NAME=SHARE"),
        ("h1=0.5:1ms", "accepted is NAME=SHARE"),
        ("h1=1", "accepted is a share of the link's rate below 1"),
        ("h1=0", "fewer --nodes, without the host"),
        ("h1=0:1ms/10h", "time '10h' is not understood"),
        ("h1=0:10ms/10ms", "a FOR above 0 and below EVERY"),
        ("h1=0.5:0ms/10ms", "a FOR above 0 and below EVERY"),
        ("h1=0:1s/10s", "stalls of at most 500 ms"),
    ],
)
def test_what_cannot_be_wrong_with_a_link_is_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        simulate.parse_fault(text)


def test_the_record_says_all_of_it_and_nothing_where_nothing_is_wrong() -> None:
    faults = [simulate.parse_fault(t) for t in ("h3.tx=0.8", "leaf1=0:1ms/10ms", "h1=.07:2us/1s")]
    assert simulate.sentence(faults) == (
        "h3.tx at 80 %; leaf1 at 0 % for 1 ms of every 10 ms; h1 at 7 % for 2 us of every 1 s"
    )
    assert simulate.sentence([]) is None


@given(share=_SHARES)
def test_only_the_rate_of_what_is_named_changes(
    tmp_path_factory: pytest.TempPathFactory, share: float
) -> None:
    healthy = _platform(tmp_path_factory.mktemp("net"))
    degraded = simulate.degraded(healthy, [Fault("leaf1", share), Fault("h3.tx", share)])
    before, after = _links(healthy), _links(degraded)
    for name, link in before.items():
        left = share if name in ("leaf1.tx", "leaf1.rx", "h3.tx") else 1
        expected = replace(link.link, bytes_per_s=left * link.link.bytes_per_s)
        assert after[name] == replace(link, link=expected)
    others = [part for part in healthy.parts if isinstance(part, str)]
    assert others == [part for part in degraded.parts if isinstance(part, str)]
    assert replace(degraded, parts=()) == replace(healthy, parts=())


def test_a_link_that_flaps_keeps_its_rate_and_says_what_is_left_when(tmp_path: Path) -> None:
    faults = [
        Fault("h1.tx", 0.5, Period(1e3, 1e4)),
        Fault("leaf2.rx", 0.0, Period(1.0, 3e6)),
    ]
    platform = simulate.degraded(_platform(tmp_path), faults)
    links = _links(platform)
    assert links["h1.tx"].link.flap == Flap(0.001, 0.01, 5e9)
    assert links["leaf2.rx"].link.flap == Flap(1e-6, 3.0, 1.0)  # 0 would limit nothing
    assert "link h1.tx leaf1 10000000000.0 1.5e-06 shared 0.001 0.01 5000000000.0" in platform.lines
    assert "link h1.rx leaf1 5000000000.0 1.5e-06 shared" in platform.lines


@pytest.mark.parametrize(
    ("links", "said"),
    [
        (["h9"], "--link h9: .* leaf1 to leaf2, h1 to h4, alone or with .tx or .rx"),
        (["world.itself"], "no link is called that"),
        (["h1", "h1.rx"], "h1.rx twice"),
        (["leaf1.tx", "leaf1.tx"], "leaf1.tx twice"),
    ],
)
def test_links_that_are_not_there_or_named_twice_are_refused(
    tmp_path: Path, links: list[str], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        simulate.degraded(_platform(tmp_path), [Fault(link, 0.5) for link in links])


@given(
    every=st.floats(min_value=1.0, max_value=3e5),
    part=st.floats(min_value=0.01, max_value=0.99),
)
def test_short_samples_meet_stalls_as_often_as_these_are_long(every: float, part: float) -> None:
    """Followed as the engine goes on: at the end of a stall, a rest, at once done or stalled."""
    flap = Period(part * every, every)
    rest = simulate.rest_us([Fault("h1", 0.0, flap)])
    assert 10_000 + flap.for_us <= rest <= 1e6
    at, stalled = flap.for_us, 0
    samples = 10 * round(1 / part)
    for _ in range(samples):
        phase = math.fmod(at + rest, every)
        stalled += phase < flap.for_us
        at = max(phase, flap.for_us)
    assert stalled / samples == pytest.approx(1 / round(1 / part))


def test_where_nothing_flaps_one_sample_is_like_the_other() -> None:
    steady, flaps = [Fault("h1", 0.5)], [Fault("h1", 0.5), Fault("h2", 0.5, Period(1, 2))]
    assert simulate.rest_us([]) == simulate.rest_us(steady) == 10_000
    assert simulate.stopping(_STOPPING, steady).max_samples == 1
    assert simulate.stopping(_STOPPING, flaps).max_samples == 10


def test_a_run_that_is_gone_on_with_has_the_scenario_of_its_command(tmp_path: Path) -> None:
    words = ["run", "all_reduce", "--on", "simulated", "--fabric", _file(tmp_path)]
    words += ["--link", "h1.tx=0.5", "--link", "leaf2=0:1ms/10ms"]
    target = target_of(Where.of(parse_options(words)), [])
    assert isinstance(target, Simulated)
    assert [str(f) for f in target.faults] == [
        "h1.tx at 50 %",
        "leaf2 at 0 % for 1 ms of every 10 ms",
    ]
    assert _links(target.platform)["h1.tx"].link.bytes_per_s == 5e9
    elsewhere = parse_options(["run", "all_reduce", "--on", "local", "--link", "h1=0.5"])
    with pytest.raises(UsageError, match="--link belongs to --on simulated"):
        target_of(Where.of(elsewhere), [])
