"""Token costs against the providers' published examples."""

import pytest

from headroom_cli.images import cost


@pytest.mark.parametrize(("width", "height", "family", "tokens"), [
    (1000, 1000, "anthropic", 36 * 36),
    (200, 200, "anthropic", 64),
    (1092, 1092, "anthropic", 39 * 39),
    (1920, 1080, "anthropic-large", 69 * 39),
    (1024, 1024, "openai-tiles", 765),
    (2048, 4096, "openai-tiles", 1105),
    (4096, 8192, "openai-tiles:low", 85),
    (512, 512, "openai-tiles", 255),
    (1024, 1024, "openai-tiles-5", 70 + 4 * 140),
    (1024, 1024, "openai-patches-5", round(1024 * 1.2)),
    (1800, 2400, "openai-patches", round(1452 * 1.62)),
    (4000, 1474, "openai-patches", 2488),
    (1600, 1600, "openai-patches-2500", 3000),
])  # fmt: skip
def test_published_examples(width, height, family, tokens):
    assert cost.tokens(width, height, family) == tokens


def test_what_a_model_is_shown():
    assert cost.sent(800, 600, "anthropic") == (800, 600)
    assert cost.sent(1800, 2400, "openai-patches") == (1056, 1408)
    assert cost.sent(2048, 4096, "openai-tiles") == (768, 1536)
    wide, high = cost.sent(3840, 2160, "anthropic")
    assert 1440 <= wide <= 1470
    assert abs(wide / high - 16 / 9) < 0.01
    assert max(cost.sent(9000, 200, "anthropic-large")) == 2576


@pytest.mark.parametrize("family", [*cost.FAMILIES, *(f"{family}:low" for family in cost.FAMILIES)])
@pytest.mark.parametrize(
    "size", [(1, 1), (1, 50_000), (7000, 3), (1568, 1568), (2577, 1449), (333, 1919), (50_000, 50_000)]
)
def test_what_is_sent_is_no_larger_and_costs_the_same_again(family, size):
    sent = cost.sent(*size, family)
    assert sent[0] >= 1
    assert sent[1] >= 1
    assert sent[0] <= size[0]
    assert sent[1] <= size[1]
    assert 0 < cost.tokens(*sent, family) <= cost.tokens(*size, family)
    limits = {"anthropic": 1568, "anthropic-large": 4784}
    assert cost.tokens(*size, family) <= limits.get(family.removesuffix(":low"), 60_000)


@pytest.mark.parametrize(("model", "format_name", "detail", "family"), [
    ("claude-sonnet-4-5-20250929", "anthropic", "", "anthropic"),
    ("us.anthropic.claude-opus-4-8-v1:0", "anthropic", "", "anthropic-large"),
    ("claude-opus-4-20250514", "anthropic", "", "anthropic"),
    ("claude-3-5-haiku-latest", "anthropic", "", "anthropic"),
    ("anthropic/claude-opus-4.7", "openai", "", "anthropic-large"),
    ("claude-sonnet-5", "anthropic", "", "anthropic-large"),
    ("", "anthropic", "", "anthropic"),
    ("", "bare", "", "anthropic"),
    ("", "openai", "", "openai-patches"),
    ("gpt-4o-2024-08-06", "openai", "high", "openai-tiles"),
    ("gpt-4o-mini", "openai", "", "openai-tiles-mini"),
    ("openai/gpt-4.1-mini", "openai", "", "openai-patches"),
    ("gpt-4.1-nano", "responses", "", "openai-patches-nano"),
    ("gpt-4.1", "responses", "low", "openai-tiles:low"),
    ("o3", "openai", "", "openai-tiles-o"),
    ("o4-mini", "openai", "", "openai-patches-o4"),
    ("gpt-5", "openai", "", "openai-tiles-5"),
    ("gpt-5-mini", "openai", "", "openai-patches"),
    ("gpt-5.2", "responses", "", "openai-patches-5"),
    ("gpt-5.4", "responses", "", "openai-patches-2500"),
    ("gpt-5.6-sol", "responses", "", "openai-patches-original"),
    ("gpt-5.6-sol", "responses", "high", "openai-patches-2500"),
    ("gpt-5.10", "responses", "", "openai-patches-original"),
    ("computer-use-preview", "responses", "", "openai-tiles-computer"),
    ("llama-4-scout", "openai", "", "openai-patches"),
])  # fmt: skip
def test_families_of_models(model, format_name, detail, family):
    assert cost.family_of(model, format_name, detail) == family


def test_an_unknown_family_and_an_empty_picture_are_errors():
    for arguments in ((10, 10, "kodak"), (0, 10, "anthropic"), (10, -1, "openai-tiles")):
        with pytest.raises(ValueError, match=r"family|pixel"):
            cost.tokens(*arguments)
