"""An operator's encoder: near in meaning is found, explained, kept up; and it may fail."""

from __future__ import annotations

import dataclasses
import sys
import types
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from search import address, dense, matching, rebuild, text
from search.engine import Engine
from search.engines.dense import DenseEngine
from search.errors import AskRejected, EncoderFailed, VectorsBroken
from search.features import Seeker
from search.schema import MEMBERS, PUBLIC, Document, Filters, Scope
from search.vectors import Vectors
from tests.search.conftest import CORPUS

ACHIEVEMENTS = Scope(kinds=frozenset({"achievement"}))
# What people wrote about washing machines and about bees: enough to learn which words go together.
WRITTEN = (
    "洗衣机 甩干 嗡嗡 滚筒 离心脱水",
    "滚筒 离心脱水 偏心 振动",
    "甩干 嗡嗡 偏心 振动",
    "洗衣机 滚筒 偏心",
    "蜜蜂 蜂箱 采蜜 授粉",
    "授粉 大棚 蜜蜂",
    "蜂箱 授粉 蜜蜂",
    "采蜜 蜜蜂",
)
SPIN_DRYER = Document(
    id="achievement:60", kind="achievement", title="离心脱水偏心校正", owner_id="60"
)
BEES = Document(id="achievement:61", kind="achievement", title="大棚授粉用蜂箱", owner_id="61")
BUZZING = Seeker(text="甩干 嗡嗡")


class Latent:
    """A small encoder: latent semantic analysis of ``WRITTEN``, over its words."""

    name = "latent"

    def __init__(self, version: str = "1") -> None:
        self.version = version
        self.words = sorted({word for line in WRITTEN for word in line.split()})
        counts = np.array([[line.split().count(w) for w in self.words] for line in WRITTEN])
        _, strengths, directions = np.linalg.svd(counts.astype(float), full_matrices=False)
        self.length = 2
        self._space = directions[:2].T * strengths[:2]
        self.asked = 0

    def encode(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        self.asked += 1
        held = np.array([[float(word in said) for word in self.words] for said in texts])
        return (held @ self._space).tolist()  # type: ignore[no-any-return]  # numpy says Any


class Wrong(Latent):
    """An encoder that gives what it did not announce, once it is told to."""

    def __init__(self, answer: object) -> None:
        super().__init__()
        self.answer: object = None
        self._later = answer

    def go_wrong(self) -> None:
        self.answer = self._later

    def encode(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        if self.answer is None:
            return super().encode(texts)
        if isinstance(self.answer, Exception):
            raise self.answer
        return [self.answer] * len(texts)  # type: ignore[list-item]  # wrong on purpose


def filled(bare: Engine, folder: Path, encoder: dense.Encoder, *more: Document) -> DenseEngine:
    engine = DenseEngine(bare, encoder, folder)
    engine.swap(rebuild.build(engine, [*CORPUS, SPIN_DRYER, BEES, *more]))
    return engine


def found(engine: Engine, seeker: Seeker = BUZZING, scope: Scope = ACHIEVEMENTS) -> list[str]:
    matches = matching.match(engine, seeker, scope, expand=False)
    return [match.document.id for match in matches]


def test_what_shares_no_word_is_found_by_its_meaning_and_explained(
    bare: Engine, tmp_path: Path
) -> None:
    assert not set(text.grams("甩干嗡嗡")) & set(text.grams(SPIN_DRYER.title))
    engine = filled(bare, tmp_path / "vectors", Latent())
    best, *_ = matching.match(engine, BUZZING, ACHIEVEMENTS, expand=False)
    assert best.document.id == SPIN_DRYER.id
    reason = next(entry for entry in best.agreements if entry.name == "dense")
    assert reason.degree > 0.5
    assert reason.share == pytest.approx(1.0)
    assert best.fit > 0
    assert BEES.id not in found(engine)


def test_without_an_encoder_the_same_index_answers_as_ever(bare: Engine, tmp_path: Path) -> None:
    seeker = Seeker(text="烘炉烟气 170–200 ℃，氮氧化物超标，甩干 嗡嗡")
    engine = filled(bare, tmp_path / "vectors", Latent())
    assert SPIN_DRYER.id in found(engine, seeker)
    assert SPIN_DRYER.id not in found(bare, seeker)
    plain = matching.match(bare, seeker, ACHIEVEMENTS)
    assert all(entry.name != "dense" for match in plain for entry in match.agreements)
    bare.swap(rebuild.build(bare, [*CORPUS, SPIN_DRYER, BEES]))
    assert matching.match(bare, seeker, ACHIEVEMENTS) == plain


def test_words_and_meaning_add_up_under_the_weight(bare: Engine, tmp_path: Path) -> None:
    twin = dataclasses.replace(SPIN_DRYER, id="achievement:62", title="甩干机", owner_id="62")
    engine = filled(bare, tmp_path / "vectors", Latent(), twin)
    weights = matching.load_settings()
    heavy = dataclasses.replace(weights, dense_weight=3 * weights.dense_weight)
    shares = []
    for settings in (weights, heavy):
        matches = matching.match(engine, BUZZING, ACHIEVEMENTS, expand=False, settings=settings)
        assert matches[0].document.id == twin.id
        reason = next(entry for entry in matches[0].agreements if entry.name == "dense")
        shares.append(reason.share)
    assert 0 < shares[0] < shares[1] < 1


def test_scope_and_filters_hold_for_meaning_too(bare: Engine, tmp_path: Path) -> None:
    hidden = dataclasses.replace(
        SPIN_DRYER, id="achievement:63", visibility=MEMBERS, region="370181"
    )
    need = dataclasses.replace(SPIN_DRYER, id="need:64", kind="need")
    engine = filled(bare, tmp_path / "vectors", Latent(), hidden, need)
    members = dataclasses.replace(ACHIEVEMENTS, visibilities=frozenset({PUBLIC, MEMBERS}))
    assert hidden.id not in found(engine)
    assert hidden.id in found(engine, scope=members)
    assert need.id not in found(engine, scope=members)
    own = dataclasses.replace(BUZZING, owner_id="60")
    assert found(engine, own) == []
    ask = matching.build(BUZZING, members, matching.load_settings())
    narrow = dataclasses.replace(ask, filters=Filters({"region": frozenset({"370181"})}))
    assert [hit.document.id for hit in engine.candidates(narrow)] == [hidden.id]
    strict = dataclasses.replace(ask, phrases=(("不", "存", "在"),))
    assert engine.candidates(strict) == ()


def test_the_vectors_follow_every_change(bare: Engine, tmp_path: Path) -> None:
    engine = filled(bare, tmp_path / "vectors", Latent())
    reader = DenseEngine(bare, Latent(), tmp_path / "vectors")
    assert found(reader) == [SPIN_DRYER.id]
    engine.upsert([dataclasses.replace(SPIN_DRYER, title="大棚采蜜")])
    assert found(reader) == []
    engine.upsert([SPIN_DRYER])
    assert found(reader) == [SPIN_DRYER.id]
    engine.delete([SPIN_DRYER.id, "achievement:999"])
    assert found(reader) == []
    assert reader.health().reason == ""


def test_a_vector_of_what_a_document_said_before_does_not_count(
    bare: Engine, tmp_path: Path
) -> None:
    engine = filled(bare, tmp_path / "vectors", Latent())
    bare.upsert([dataclasses.replace(SPIN_DRYER, title="低温脱硝")])  # by one without the encoder
    assert found(engine) == []
    assert found(engine, Seeker(text="低温脱硝"))[0] == SPIN_DRYER.id


def test_the_vectors_are_swapped_rolled_back_and_dropped_with_the_index(
    bare: Engine, tmp_path: Path
) -> None:
    engine = filled(bare, tmp_path / "vectors", Latent())
    first = engine.generation()
    rebuild.rebuild(engine, lambda: [BEES])
    assert found(engine) == []
    assert rebuild.roll_back(engine) == first
    assert found(engine) == [SPIN_DRYER.id]
    for _ in range(2):
        rebuild.rebuild(engine, lambda: [BEES])
    assert not (tmp_path / "vectors" / str(first)).exists()
    folders = {path.name for path in (tmp_path / "vectors").iterdir()}
    assert folders == set(engine.generations())


def test_another_model_goes_by_words_until_the_rebuild(bare: Engine, tmp_path: Path) -> None:
    first = filled(bare, tmp_path / "vectors", Latent())
    other = DenseEngine(bare, Latent("2"), tmp_path / "vectors")
    assert first.format != other.format
    assert found(other) == []
    assert "rebuild" in other.health().reason
    other.upsert([SPIN_DRYER])  # no vector of one model among those of another
    assert found(first) == [SPIN_DRYER.id]
    rebuild.rebuild(other, lambda: [SPIN_DRYER, BEES])
    assert found(other) == [SPIN_DRYER.id]
    assert other.health().reason == ""


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ([1.0, 2.0, 3.0], "3 numbers where 2"),
        ([1.0, float("nan")], "no finite number"),
        (["a", "b"], "ValueError"),
        (None, "TypeError"),
        (RuntimeError("no memory"), "no memory"),
    ],
)
def test_an_encoder_that_fails_is_named_and_search_goes_on(
    bare: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture, answer: object, said: str
) -> None:
    encoder = Wrong(answer if answer is not None else 7)
    engine = filled(bare, tmp_path / "vectors", encoder)
    flue_gas = Seeker(text="烘炉烟气，氮氧化物超标，希望低温脱硝")
    encoder.go_wrong()
    with_failure = matching.match(engine, flue_gas, ACHIEVEMENTS)
    assert with_failure == matching.match(bare, flue_gas, ACHIEVEMENTS)
    assert with_failure[0].document.id == "achievement:1"
    assert said in caplog.text
    assert said in engine.health().reason
    assert engine.health().ok
    # Indexed all the same, but with no vector rather than an old one.
    engine.upsert([dataclasses.replace(SPIN_DRYER, title="低温脱硝")])
    encoder.answer = None
    assert SPIN_DRYER.id in found(engine, flue_gas)
    assert found(engine) == []
    assert engine.health().reason.startswith("6 of 7")


def test_too_few_vectors_are_an_error() -> None:
    encoder = Latent()
    encoder.encode = lambda texts: [[1.0, 0.0]]  # type: ignore[method-assign]
    with pytest.raises(EncoderFailed, match="1 vectors for 2 texts"):
        dense.encode(encoder, ["一", "二"])


def test_damaged_vectors_are_named_and_search_goes_on(bare: Engine, tmp_path: Path) -> None:
    engine = filled(bare, tmp_path / "vectors", Latent())
    folder = tmp_path / "vectors" / str(engine.generation())
    (folder / "vectors.f32").write_bytes(b"short")
    fresh = DenseEngine(bare, Latent(), tmp_path / "vectors")
    assert found(fresh) == []
    assert "rebuild" in fresh.health().reason
    (folder / "state.json").write_text("{")
    assert found(fresh) == []
    assert fresh.upsert([BEES]) == 1


def test_what_a_crash_left_behind_does_not_count(tmp_path: Path) -> None:
    vectors = Vectors(tmp_path / "g", 2)
    vectors.create()
    vectors.put([("a", "1")], [[1.0, 0.0]])
    with (tmp_path / "g" / "vectors.f32").open("ab") as file:
        file.write(b"half a row")
    with (tmp_path / "g" / "rows.log").open("ab") as file:
        file.write(b"+lost")
    assert vectors.count() == 1
    vectors.put([("b", "1"), ("a", "2")], [[0.0, 1.0], [-1.0, 0.0]])
    reader = Vectors(tmp_path / "g", 2)
    likeness = reader.likeness([0.0, 1.0])
    assert list(likeness.best()) == ["b"]
    assert likeness.of("b", "1") == pytest.approx(1.0)
    assert likeness.of("b", "2") is None
    assert likeness.of("lost", "1") is None
    with pytest.raises(VectorsBroken, match="another length"):
        Vectors(tmp_path / "g", 3).count()


def test_an_encoder_is_plugged_in_by_its_address(
    bare: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = types.ModuleType("operators_model")
    module.make = Latent  # type: ignore[attr-defined]  # made here
    module.fails = lambda: 1 / 0  # type: ignore[attr-defined]  # made here
    module.nothing = dict  # type: ignore[attr-defined]  # made here
    monkeypatch.setitem(sys.modules, "operators_model", module)
    engine = address.with_encoder(bare, "operators_model:make", tmp_path / "vectors")
    engine.swap(rebuild.build(engine, [SPIN_DRYER, BEES]))
    assert found(engine) == [SPIN_DRYER.id]
    for wrong in ("operators_model", "operators_model:absent", "no.such.module:make", ""):
        with pytest.raises(AskRejected, match=r"package\.module:factory"):
            address.with_encoder(bare, wrong, tmp_path)
    for failing in ("fails", "nothing"):
        away = address.with_encoder(bare, f"operators_model:{failing}", tmp_path / "vectors")
        assert found(away) == []
        assert f"operators_model:{failing} gave no encoder" in away.health().reason


def test_the_conformance_of_an_engine_is_not_changed_by_an_encoder(
    bare: Engine, tmp_path: Path
) -> None:
    engine = filled(bare, tmp_path / "vectors", Latent())
    assert engine.capabilities == bare.capabilities
    assert set(engine.ids()) == {d.id for d in (*CORPUS, SPIN_DRYER, BEES)}
    with engine.writing():
        engine.upsert([dataclasses.replace(BEES, id="achievement:65")])
        engine.commit()
    assert engine.health().documents == len(CORPUS) + 3
    assert engine.health().reason == ""
