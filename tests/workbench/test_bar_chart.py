"""Bar charts as SVG."""

import xml.etree.ElementTree as ElementTree

import pytest

from workbench.bar_chart import bar_chart

NAME = "{http://www.w3.org/2000/svg}"


def drawn(values: list[float], lettered: bool) -> ElementTree.Element:
    labels = [f"{day} Agt" for day in range(len(values))]
    svg = bar_chart("a", "Banjir & <longsor>", labels, values, [f"{value:g}%" for value in values], lettered=lettered)
    return ElementTree.fromstring(svg.replace("<svg", f'<svg xmlns="{NAME[1:-1]}"'))


@pytest.mark.parametrize("lettered", [False, True])
@pytest.mark.parametrize("values", [[5], [1, 0, 4], [0, 0], [float(day) for day in range(60)]])
def test_bars_are_as_tall_as_their_values_and_in_the_frame(values, lettered):
    svg = drawn(values, lettered)
    _, _, width, height = map(float, svg.attrib["viewBox"].split())
    assert width <= 480
    bars = svg.findall(NAME + "rect")
    tall = [float(bar.attrib["height"]) for bar in bars]
    assert tall == pytest.approx([value * max(tall) / max(*values, 1e-9) for value in values], abs=0.1)
    assert all(float(bar.attrib["x"]) + float(bar.attrib["width"]) <= width + 0.1 for bar in bars)
    assert all(0 <= float(bar.attrib["y"]) <= height for bar in bars)
    assert [bar.attrib["class"] for bar in bars] == ["bar"] * (len(values) - 1) + ["now"]
    assert len(svg.findall(NAME + "text")) <= (20 if lettered else 0)


def test_it_is_read_out():
    svg = drawn([1, 2], lettered=False)
    named = [
        element.text for name in svg.attrib["aria-labelledby"].split() for element in svg if element.get("id") == name
    ]
    assert named == ["Banjir & <longsor>", "0 Agt: 1%; 1 Agt: 2%"]
