"""Named entities by windows: the generated models, their training and what comes of it, on the sentences of the lecture."""

import itertools
import json
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from ner import checkpoint, corpus, plain, report, scores, tags
from ner.chunks import together, total
from ner.dictionary import Dictionary
from ner.examples import Examples, Labels
from ner.gradients import ALL, Buffer, added, gradient
from ner.learner import Learner, started
from ner.models import LOSSES, Model
from ner.shapes import Shape
from ner.tagger import Tagger
from ner.training import Training, begun_on, checked
from ner.updates import STEPS, begun
from ner.vocabulary import LENGTHS, counted, vocabularies
from ner_window import main

import matcalc as mc
from matcalc.core.expression import variables

SENTENCES = Path(__file__).parent.parent / "examples" / "ner" / "sentences"
LECTURE, PRACTICE = str(SENTENCES / "lecture.conll"), str(SENTENCES / "practice.conll")
GOOD = "Paris I-LOC\nis O\n\nRome I-LOC\nis O\n\n" * 6
QUICK = {"hidden": 12, "batch": 8, "optimizer": "adagrad", "rate": 0.05}


class Silent:
    """Shows nothing, and stops a training after so many steps."""

    def __init__(self, training=None, stop=None):
        self.training, self.left = training, stop

    def step(self, epoch, done, steps, loss):
        if self.left is not None:
            self.left -= 1
            self.training.stopped = self.left <= 0

    def epoch(self, row):
        pass


def settings(**given):
    return checkpoint.Settings(**{**QUICK, **given})


@pytest.fixture(scope="module")
def parts():
    return corpus.parts(PRACTICE, dev=LECTURE, test=LECTURE)


def trained(parts, epochs=12, **given):
    wanted = settings(**given)
    training = Training(begun_on(wanted, parts.train), parts)
    training.go(epochs, Silent(), lambda: None)
    return training


def run(*arguments, given=None):
    return CliRunner().invoke(main, [str(a) for a in arguments], input=given)


SIZES = {"C": 3, "H": 4, "V_words": 9, "d_words": 5, "V_case": 4, "d_case": 2}


def learner(model, **given):
    shape = Shape(model, 3, ("words", "case"), corrupt=2, **given)
    made = Model(shape)
    return Learner(made, started(made, SIZES, 0))


def batch_for(model, N=7, seed=1):
    rng = np.random.default_rng(seed)
    marks = ["", "_1", "_2"] if model == "margin" else [""]
    found = {f"ids_{f}{m}": rng.integers(0, SIZES[f"V_{f}"], (N, 3)) for m in marks for f in ("words", "case")}
    if model != "margin":
        found["y"] = rng.integers(0, 3 if model == "softmax" else 2, N)
    return found


def dense(theta, found):
    """A gradient with its tables in full."""
    whole = {}
    for name, (rows, g) in found.items():
        whole[name] = np.zeros_like(theta[name])
        whole[name][rows] += g
    return whole


KINDS = list(itertools.product(LOSSES, (False, True), (True, False)))


# ---- the models ------------------------------------------------------------------------------------------------------------
def one_example(model, shape, rows, y):
    """The loss of one example with its look-ups as one-hot rows E: E L in place of take(L, ids)."""
    tables = {f: mc.matrix(f"L_{f}", SIZES[f"V_{f}"], SIZES[f"d_{f}"]) for f in shape.features}

    def layer(mark=""):
        looked_up = [
            mc.block([[mc.one_hot(int(i), L.shape[0]).T] for i in rows[f"ids_{f}{mark}"]]) @ L for f, L in tables.items()
        ]
        x = mc.concat([mc.mean(r, axis=0).T if shape.average else mc.vec(r.T) for r in looked_up])
        if not shape.hidden:
            return x
        return mc.tanh(mc.matrix("W", SIZES["H"], x.shape[0]) @ x + mc.vector("b", SIZES["H"]))

    h = layer()
    if model == "softmax":
        return mc.softmax_cross_entropy(mc.matrix("U", SIZES["C"], h.shape[0]) @ h + mc.vector("c", SIZES["C"]), mc.one_hot(y, 3))
    s = mc.vector("u", h.shape[0]).T @ h
    if model == "logistic":
        return mc.binary_cross_entropy(y, mc.sigmoid(s + mc.scalar("c")))
    return sum(mc.hinge(1 - s + mc.vector("u", h.shape[0]).T @ layer(mark)) for mark in ("_1", "_2"))


def by_one_hot_rows(model, shape, theta, batch):
    """Value and gradients of the mean loss, by a loop over the examples."""
    N, grads, loss = len(batch["ids_words"]), {}, 0.0
    for k in range(N):
        J = one_example(model, shape, {name: rows[k] for name, rows in batch.items()}, int(batch["y"][k]) if "y" in batch else 0)
        loss += float(mc.evaluate(J, theta)) / N
        for name in theta:
            v = next(v for v in variables([J]) if v.name == name)
            grads[name] = grads.get(name, 0) + mc.evaluate(mc.grad(J, v), theta) / N
    return loss, grads


@pytest.mark.lecture("I13", "I14", "I15", "I18", "I20", "I23", "I24", "J5", "J6", "H1")
@pytest.mark.parametrize("model, average, hidden", KINDS)
def test_the_generated_batch_is_the_sum_over_one_hot_examples(model, average, hidden):
    """Look-up by number and scatter-add agree with the one-hot products, whose gradient is (∂J/∂x) eᵀ, to 1e-12."""
    one = learner(model, average=average, hidden=hidden)
    batch = batch_for(model, N=4)
    loss, found = one.gradient(batch)
    expected, grads = by_one_hot_rows(model, one.model.shape, one.theta, batch)
    assert loss == pytest.approx(expected, rel=1e-13)
    assert set(found) == set(grads) == set(one.theta)
    for name, g in dense(one.theta, found).items():
        np.testing.assert_allclose(g, grads[name], rtol=0, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("model, average, hidden", KINDS)
def test_the_rows_of_a_batch_are_those_of_the_whole_table(model, average, hidden):
    one, batch = learner(model, average=average, hidden=hidden), batch_for(model)
    loss, found = one.gradient(batch)
    whole, grads = one.model.training.value_and_grad(**one.theta, **batch)
    assert loss == whole
    for name, g in dense(one.theta, found).items():
        np.testing.assert_allclose(g, grads[name], rtol=0, atol=1e-15, err_msg=name)
    held = np.unique(np.concatenate([v.ravel() for k, v in batch.items() if k.startswith("ids_words")]))
    assert found["L_words"][0].tolist() == held.tolist()


@pytest.mark.lecture("G1", "G2")
@pytest.mark.parametrize("model, average, hidden", KINDS)
def test_the_numeric_check_sees_every_parameter_and_a_wrong_one(model, average, hidden):
    one, batch = learner(model, average=average, hidden=hidden), batch_for(model)
    tables = one.model.shape.tables
    report = checked(one, batch, tables)
    assert report.ok and {row.name for row in report.rows} == set(one.theta)

    code = one.model.value_and_grad

    class Wrong:
        shape, learned = one.model.shape, one.model.learned

        training = one.model.training

        @staticmethod
        def value_and_grad(**given):
            loss, found = code(**given)
            return loss, {**found, "L_words": -found["L_words"]}

    assert not checked(Learner(Wrong, one.theta), batch, tables).ok


@pytest.mark.lecture("J6", "J8")
def test_frozen_word_vectors_have_no_gradient():
    frozen, batch = learner("softmax", frozen=True), batch_for("softmax")
    _, found = frozen.gradient(batch)
    _, tuned = learner("softmax").gradient(batch)
    assert set(tuned) - set(found) == {"L_words"}
    assert "L_case" in found
    assert checked(frozen, batch, frozen.model.shape.tables).ok
    without = Model(Shape("softmax", 3, ("case",), frozen=True))  # there are no word vectors to leave as they are
    assert checked(Learner(without, started(without, SIZES, 0)), batch, without.shape.tables).ok


@pytest.mark.parametrize("model, average, hidden", KINDS[::3])
def test_a_window_of_one_word(parts, model, average, hidden):
    made = trained(parts, 1, model=model, reach=0, average=average, hidden=4 * hidden)
    batch = made.examples.batch(np.arange(3), np.arange(3, 18).reshape(3, 5))
    assert batch["ids_words"].shape == (3,) and made.check().ok
    assert made.tagger.scores(made.text).shape[0] == len(made.text)


@pytest.mark.lecture("I12")
def test_a_window_is_the_vectors_of_its_words_one_below_the_other():
    from ner.models import table, window

    shape = Shape("softmax", 5, ("words",))
    ids, L = np.array([3, 0, 4, 1, 2]), np.random.default_rng(0).normal(size=(5, 4))
    x = mc.evaluate(window(shape), {"L_words": L, "ids_words": ids})
    assert x.shape == (20,)
    np.testing.assert_array_equal(x, np.concatenate([L[k] for k in ids]))
    assert str(table("words").shape[1]) == "d_words"


@pytest.mark.lecture("I11")
def test_an_average_does_not_know_the_order_of_its_words():
    for average in (True, False):
        one, batch = learner("softmax", average=average), batch_for("softmax")
        back = {k: v[:, ::-1].copy() if k != "y" else v for k, v in batch.items()}
        here, there = (one.gradient(b)[0] for b in (batch, back))
        assert (abs(here - there) < 1e-14) == average


@pytest.mark.lecture("I20", "I21", "I22")
def test_the_margin_and_its_kink():
    """A corrupt window counts until the true one scores 1 more; at the kink itself the derivative is 0."""
    one, batch = learner("margin", hidden=False), batch_for("margin", N=1)
    same = {**batch, **{f"ids_{f}_{k}": batch[f"ids_{f}"] for f in ("words", "case") for k in (1, 2)}}
    assert one.gradient(same)[0] == 2  # two windows like the true one, each 1 short
    s, c = mc.scalars("s s_c")
    J = mc.hinge(1 - s + c)
    for score, slope in ((0.5, -1), (1.0, 0), (1.5, 0)):
        assert mc.evaluate(mc.grad(J, s), {s: score, c: 0.0}) == slope
        assert mc.evaluate(mc.grad(J, c), {s: score, c: 0.0}) == -slope


@pytest.mark.lecture("J1", "J2")
def test_updates_of_rows_are_updates_of_the_whole():
    rng = np.random.default_rng(0)
    for name, step in STEPS.items():
        sparse, full = ({"L": np.ones((6, 2)), "c": np.zeros(())} for _ in range(2))
        states = [begun(name, theta) for theta in (sparse, full)]
        for _ in range(3):
            rows, g, c = rng.choice(6, 3, replace=False), rng.normal(size=(3, 2)), rng.normal()
            whole = np.zeros((6, 2))
            whole[rows] = g
            step(sparse, {"L": (rows, g), "c": (ALL, c)}, states[0], 0.5)
            step(full, {"L": (ALL, whole), "c": (ALL, c)}, states[1], 0.5)
        np.testing.assert_allclose(sparse["L"], full["L"], rtol=1e-15)
        assert sparse["c"] == full["c"] != 0
    theta = {"W": np.array([1.0, 2.0])}
    STEPS["sgd"](theta, {"W": (ALL, np.array([10.0, -10.0]))}, {}, 0.1)
    assert theta["W"].tolist() == [0.0, 3.0]
    STEPS["adagrad"](theta, {"W": (ALL, np.array([3.0, -4.0]))}, state := {"W": np.zeros(2)}, 0.1)
    np.testing.assert_allclose(theta["W"], [-0.1, 3.1])  # the first step is α whatever the size of the gradient
    assert state["W"].tolist() == [9.0, 16.0]


def test_sums_of_gradients_are_those_of_both_batches():
    one, N = learner("softmax"), 3
    several = [batch_for("softmax", N, seed) for seed in (1, 2)]
    both = {k: np.concatenate([b[k] for b in several]) for k in several[0]}
    _, whole = one.gradient(both)
    summed = added(*(one.gradient(b)[1] for b in several))
    for name, g in dense(one.theta, summed).items():
        np.testing.assert_allclose(g / 2, dense(one.theta, whole)[name], rtol=0, atol=1e-15)


def test_many_gradients_add_up_in_a_buffer():
    one = learner("margin")
    found = [one.gradient(batch_for("margin", 2, seed))[1] for seed in range(5)]
    expected = found[0]
    for more in found[1:]:
        expected = added(expected, more)
    buffer = Buffer({name: np.arange(40)[::-1] for name in ("L_words", "L_case")})
    for more in found:
        buffer.add(more)
    for name, (rows, g) in buffer.gradient().items():
        assert rows is expected[name][0] or rows.tolist() == expected[name][0].tolist()
        np.testing.assert_allclose(g, expected[name][1], rtol=0, atol=1e-15, err_msg=name)


# ---- tags, spans, scores ---------------------------------------------------------------------------------------------------
BIO_TABLE = [
    ("Foreign", "B-ORG"),
    ("Ministry", "I-ORG"),
    ("spokesman", "O"),
    ("Shen", "B-PER"),
    ("Guofang", "I-PER"),
    ("told", "O"),
    ("Reuters", "B-ORG"),
    ("that", "O"),
]


@pytest.mark.lecture("I4", "I5")
def test_the_bio_table():
    sentence = next(s for s in corpus.read(LECTURE) if s.words[0] == "Foreign")
    assert list(zip(sentence.words, sentence.tags, strict=True)) == BIO_TABLE
    spans = [(0, 2, "ORG"), (3, 5, "PER"), (6, 7, "ORG")]
    assert tags.spans(sentence.tags) == spans
    written = {
        "bio": [tag for _, tag in BIO_TABLE],
        "iob1": ["I-ORG", "I-ORG", "O", "I-PER", "I-PER", "O", "I-ORG", "O"],
        "bioes": ["B-ORG", "E-ORG", "O", "B-PER", "E-PER", "O", "S-ORG", "O"],
    }
    for scheme, tagged in written.items():
        assert tags.encoded(spans, 8, scheme) == tagged
        assert tags.spans(tagged) == spans
        assert tags.named([tagged]) == scheme


@pytest.mark.lecture("I1", "I5")
def test_every_scheme_keeps_every_entity_of_every_labelling():
    """All sequences of three words over two classes, starts marked: what is written is read again."""
    for tagged in itertools.product(("O", "B-X", "I-X", "B-DATE", "I-DATE"), repeat=3):
        spans = tags.spans(tagged)
        for scheme in ("bio", "iob1", "bioes"):
            assert tags.spans(tags.encoded(spans, 3, scheme)) == spans
            assert tags.converted(tags.encoded(spans, 3, scheme), "bio") == tags.encoded(spans, 3, "bio")


def test_where_two_entities_touch_iob1_says_b():
    assert tags.encoded([(0, 1, "LOC"), (1, 3, "LOC")], 3, "iob1") == ["I-LOC", "B-LOC", "I-LOC"]
    assert tags.encoded([(0, 1, "LOC"), (1, 3, "PER")], 3, "iob1") == ["I-LOC", "I-PER", "I-PER"]
    assert tags.spans(["U-LOC", "B-PER", "L-PER"]) == [(0, 1, "LOC"), (1, 3, "PER")]


@pytest.mark.lecture("I5")
def test_precision_recall_and_f1_are_of_whole_entities():
    gold = [[(0, 2, "ORG"), (3, 5, "PER")], [(0, 1, "LOC")], []]
    found = [[(0, 2, "ORG"), (3, 4, "PER")], [(0, 1, "PER")], [(0, 1, "PER")]]
    counts = scores.entities(gold, found)
    whole = counts["all"]
    assert (whole.gold, whole.found, whole.right) == (3, 4, 1)
    assert (whole.precision, whole.recall, whole.f1) == (1 / 4, 1 / 3, pytest.approx(2 / 7))
    assert counts["PER"].f1 == counts["LOC"].f1 == 0 and counts["ORG"].f1 == 1
    assert list(counts)[-1] == "all"
    assert scores.entities([[]], [[]])["all"].f1 == 0


def test_auc_is_the_chance_of_the_right_order():
    rng = np.random.default_rng(0)
    values, positive = rng.integers(0, 6, 60).astype(float), rng.random(60) < 0.3
    pairs = [(a > b) + 0.5 * (a == b) for a in values[positive] for b in values[~positive]]
    assert scores.auc(values, positive) == pytest.approx(np.mean(pairs), rel=1e-14)
    assert np.isnan(scores.auc(values, np.zeros(60)))


def test_the_threshold_is_the_best_of_all():
    rng = np.random.default_rng(1)
    values, positive = rng.integers(0, 9, 80).astype(float), rng.random(80) < 0.4

    def f1(at):
        said = values >= at
        return 2 * (said & positive).sum() / (said.sum() + positive.sum())

    assert f1(scores.threshold(values, positive)) == max(f1(at) for at in np.unique(values))
    assert scores.threshold(values, np.zeros(80)) == 0


def test_confusion_counts_every_word():
    names, table = scores.confusion(["O", "LOC", "LOC", "PER"], ["O", "LOC", "ORG", "O"])
    assert names == ["LOC", "ORG", "PER", "O"]
    assert table.tolist() == [[1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 1]]


# ---- windows, vocabulary ---------------------------------------------------------------------------------------------------
@pytest.mark.lecture("I8", "I25")
def test_windows_reach_over_no_edge_of_a_sentence():
    from ner.windows import text

    sentences = [["Not", "all", "museums"], ["in"]]
    words = vocabularies(counted(sentences, ["words"]))
    found = text([*sentences, ["Zig"]], words, 2)
    values = words["words"].values
    shown = [[values[k] for k in row] for row in found.windows(np.arange(5))["words"]]
    before, after = ["<s>", "<s>"], ["</s>", "</s>"]
    assert shown == [
        [*before, "not", "all", "museums"],
        ["<s>", "not", "all", "museums", "</s>"],
        ["not", "all", "museums", *after],
        [*before, "in", *after],
        [*before, "<unknown>", *after],
    ]
    assert [len(piece) for piece in found.sentences(np.arange(5))] == [3, 1, 1]


def test_rare_values_are_now_and_then_unknown_and_paddings_never():
    from ner.windows import text

    sentences = [["rare"] + ["often"] * 999] * 1 + [["often", "x"]]
    words = vocabularies(counted(sentences, ["words"]))
    many = text([["rare", "often"]] * 2000, words, 1)
    seen = many.forgetful(words, np.random.default_rng(0))["words"]
    number = words["words"].number
    assert 900 < (seen == number["rare"]).sum() < 1100
    assert (seen == number["often"]).sum() > 1980
    assert (seen == number["<s>"]).sum() == (seen == number["</s>"]).sum() == 2000


@pytest.mark.lecture("I16", "I17", "I23")
def test_corrupt_windows_have_another_centre():
    sentences = list(corpus.read(PRACTICE))
    words = vocabularies(counted([s.words for s in sentences], ("words",)))
    shape = Shape("margin", 5, ("words",), corrupt=3)
    labels = Labels(("O", "I-LOC"), "io", "LOC")
    from ner.windows import text

    examples = Examples(shape, text([s.words for s in sentences], words, 2), labels.numbers(sentences), words, forget=False)
    places = {words["words"].number[w.lower()] for s in sentences for w, t in zip(s.words, s.tags, strict=True) if t[2:] == "LOC"}
    others = {words["words"].number[w.lower()] for s in sentences for w, t in zip(s.words, s.tags, strict=True) if t[2:] != "LOC"}
    batches = list(examples.epoch(8, 0, 0))
    true = np.concatenate([b["ids_words"] for b in batches])
    corrupt = [np.concatenate([b[f"ids_words_{k}"] for b in batches]) for k in (1, 2, 3)]
    assert len(true) == examples.labels.sum() > 20
    assert set(true[:, 2]) <= places and all(set(c[:, 2]) <= others for c in corrupt)
    assert not np.array_equal(corrupt[0], corrupt[1])
    again = np.concatenate([b["ids_words_1"] for b in examples.epoch(8, 0, 0)])
    assert np.array_equal(again, corrupt[0])
    assert not np.array_equal(np.concatenate([b["ids_words_1"] for b in examples.epoch(8, 1, 0)]), corrupt[0])


# ---- training --------------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def classifier(parts):
    return trained(parts, epochs=25)


@pytest.mark.lecture("I2", "I6", "I7", "I8", "I9")
def test_the_sentences_of_the_lecture_are_tagged(classifier, parts):
    found = report.results("test", classifier.tagger, parts.test)
    known = {(" ".join(s.words[a:b]), of) for s, spans in zip(parts.test, found.gold, strict=True) for a, b, of in spans}
    assert known >= {
        ("European Commission", "ORG"),
        ("German", "MISC"),
        ("Fischler", "PER"),
        ("Welsh National Farmers ' Union", "ORG"),
        ("First National Bank", "ORG"),
        ("Future School", "ORG"),
        ("Zig Ziglar", "PER"),
        ("Charles Schwab", "PER"),
        ("April 1989", "DATE"),
    }
    right = {(" ".join(s.words[a:b]), of) for s, spans in zip(parts.test, found.found, strict=True) for a, b, of in spans} & known
    assert right >= {("European Commission", "ORG"), ("First National Bank", "ORG"), ("Charles Schwab", "PER")}
    assert found.f1 > 0.7
    unseen = {w for s in parts.test for w in s.words} - {w for s in parts.train for w in s.words}
    assert {"Fischler", "Zig", "Ziglar", "Guofang"} <= unseen and ("Zig Ziglar", "PER") in right


@pytest.mark.lecture("I10")
def test_no_dictionary_gets_both_parises_and_the_window_model_does(classifier, parts):
    """Paris Hilton is a person, the Paris of the Hilton Hotel a place; neither sentence is in the training text."""
    hilton, hotel = (next(s for s in parts.test if s.words[0] == first) for first in ("Last", "Samuel"))
    gold = [tags.spans(s.tags) for s in (hilton, hotel)]
    assert (3, 5, "PER") in gold[0] and {(6, 8, "LOC"), (9, 10, "LOC"), (11, 13, "DATE")} <= set(gold[1])
    assert all(s.words not in {t.words for t in parts.train} for s in (hilton, hotel))

    wanted = [s.tags[s.words.index("Paris")][2:] for s in (hilton, hotel)]
    assert wanted == ["PER", "LOC"]
    for learned_from in (parts.train, parts.test, [hilton], [hotel], [*parts.train, *parts.test]):
        dictionary = Dictionary.of(learned_from)
        assert [dictionary.tags(s.words)[s.words.index("Paris")][2:] for s in (hilton, hotel)] != wanted

    tagger = classifier.tagger
    said = tagger.tags(tagger.text([hilton, hotel]))
    assert [said[k][s.words.index("Paris")][2:] for k, s in enumerate((hilton, hotel))] == wanted
    assert [said[k][s.words.index("Hilton")][2:] for k, s in enumerate((hilton, hotel))] == ["PER", "LOC"]


@pytest.mark.lecture("I19")
def test_the_hidden_layer_learns_what_pairs_of_words_say():
    """A place in the centre if exactly one of the neighbours is "in": the exclusive or, which no straight line tells apart."""
    pairs = [("in", "x", "in", "O"), ("in", "x", "at", "B-LOC"), ("at", "x", "in", "B-LOC"), ("at", "x", "at", "O")]
    sentences = [corpus.Sentence((a, w, b), ("O", tag, "O")) for a, w, b, tag in pairs] * 8
    right = {}
    for hidden in (0, 12):
        both = corpus.Parts(sentences, [], sentences)
        made = trained(both, 60, reach=1, features=("words",), hidden=hidden, rate=0.2)
        made.run.best = made.run.theta
        right[hidden] = report.results("test", made.tagger, both.test).f1
    assert right[12] == 1 and right[0] < 0.9


def same(one, other):
    return all(np.array_equal(one[name], other[name]) for name in one) and set(one) == set(other)


@pytest.mark.lecture("J7")
@pytest.mark.parametrize("model", LOSSES)
def test_seeds_repeat_to_the_bit(parts, model):
    first, again, other = (trained(parts, 2, model=model, seed=seed).run for seed in (3, 3, 4))
    assert same(first.theta, again.theta) and first.history == again.history
    assert not same(first.theta, other.theta)


@pytest.mark.parametrize("model", LOSSES)
@pytest.mark.parametrize("optimizer", STEPS)
def test_a_run_taken_up_ends_like_one_that_never_stopped(parts, model, optimizer, tmp_path):
    """Stopped within an epoch, saved, loaded and taken up: every parameter is the same to the bit."""
    wanted, place = settings(model=model, optimizer=optimizer), tmp_path / "run.npz"
    whole = Training(begun_on(wanted, parts.train), parts)
    whole.go(3, Silent(), lambda: None)
    begun = Training(begun_on(wanted, parts.train), parts)
    begun.go(3, Silent(begun, whole.steps + whole.steps // 2), lambda: begun.run.save(place))
    assert begun.stopped and (begun.run.epoch, begun.run.batch) == (1, whole.steps // 2)
    again = checkpoint.load(place)
    assert (again.settings, again.labels, again.vocabularies) == (begun.run.settings, begun.run.labels, begun.run.vocabularies)
    Training(again, parts).go(3, Silent(), lambda: None)
    assert same(again.theta, whole.run.theta) and same(again.state, whole.run.state) and same(again.best, whole.run.best)
    assert (again.history, again.best_epoch, again.threshold) == (whole.run.history, whole.run.best_epoch, whole.run.threshold)


@pytest.mark.parametrize(
    "change, said",
    [
        (lambda arrays: arrays.pop("best.W"), "best.W is missing"),
        (lambda arrays: arrays.update({"theta.W": np.zeros((2, 3))}), "theta.W is 2×3, not 12×390"),
        (lambda arrays: arrays.update({"state.c": np.zeros(99)}), "state.c is 99, not 11"),
        (lambda arrays: arrays.update({"best.c": np.array(["x"] * 11)}), "best.c holds no numbers"),
        (lambda arrays: arrays.update({"best.more": np.zeros(2)}), "best.more is none of"),
        (lambda arrays: arrays.update({"worst.c": np.zeros(2)}), "no model that --save wrote"),
    ],
)
def test_a_checkpoint_with_other_arrays_is_refused(parts, tmp_path, change, said):
    place = tmp_path / "run.npz"
    begun_on(settings(), parts.train).save(place)
    with np.load(place) as file:
        arrays = dict(file)
    change(arrays)
    np.savez(place, **arrays)
    with pytest.raises(corpus.GivenError, match=said):
        checkpoint.load(place)


def test_a_checkpoint_is_written_whole_or_not_at_all(parts, tmp_path, monkeypatch):
    run, place = begun_on(settings(), parts.train), tmp_path / "run.npz"
    run.save(place)
    before = place.read_bytes()

    def half(file, **arrays):
        file.write(b"PK half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", half)
    with pytest.raises(corpus.GivenError, match="No space left"):
        run.save(place)
    assert place.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["run.npz"]


def test_parts_of_the_gradient_add_up_to_the_whole(parts, tmp_path):
    from ner import chunks

    run = begun_on(settings(), list(corpus.read(PRACTICE)))
    training = Training(run, corpus.Parts(list(corpus.read(PRACTICE)), [], []))
    several = chunks.parts(PRACTICE, 500)
    assert len(several) > 5
    shape = run.settings.shape
    source = Model(shape).generated("sum").source
    kit = chunks.Kit(shape.model, source, shape.tables, shape, run.vocabularies, run.labels, 2, batch=16, forget=False)
    found = None
    for part in several:
        here = total(part, kit, run.theta, 0)
        found = here if found is None else together(found, here)
    everything = training.examples.batch(np.arange(len(training.text)), None)
    loss, whole = gradient(Model(shape).generated("sum").value_and_grad, run.theta, everything, shape.tables)
    assert found.windows == len(training.text) and found.loss == pytest.approx(loss, rel=1e-13)
    for name, g in dense(run.theta, found.gradient).items():
        np.testing.assert_allclose(g, dense(run.theta, whole)[name], rtol=0, atol=1e-10, err_msg=name)


# ---- the program -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("model", LOSSES)
def test_the_program_trains_measures_draws_and_tags(model, tmp_path):
    place, told, plots = tmp_path / "m.npz", tmp_path / "m.json", tmp_path / "plots"
    options = ["--model", model, "--dev", LECTURE, "--test", LECTURE, "--epochs", 3, "--hidden", 8]
    done = run(PRACTICE, *options, "--save", place, "--json", told, "--plot", plots)
    assert done.exit_code == 0, done.output
    assert "ok: every gradient agrees" in done.output and "L_words" in done.output
    assert ("AUC of the words' scores" in done.output) == (model != "softmax")
    found = json.loads(told.read_text(encoding="utf-8"))
    assert found["check"]["ok"] and len(found["history"]) == 3
    assert found["test"]["entities"]["all"]["gold"] == (26 if model == "softmax" else 7)
    assert {p.name for p in plots.iterdir()} == {"confusion.svg", "loss.svg", "words.svg"}
    import xml.etree.ElementTree as ET

    for picture in plots.iterdir():
        ET.parse(picture)
    tagged = run("--predict", place, given="Last night, Paris Hilton wowed.\n")
    assert tagged.exit_code == 0
    assert [line.split()[0] for line in tagged.output.split("\n") if line] == [
        "Last",
        "night",
        ",",
        "Paris",
        "Hilton",
        "wowed",
        ".",
    ]
    more = run(PRACTICE, "--dev", LECTURE, "--test", LECTURE, "--resume", place, "--epochs", 4, "--json", told)
    assert more.exit_code == 0 and json.loads(told.read_text(encoding="utf-8"))["history"][:3] == found["history"]


@pytest.mark.parametrize(
    "given",
    [
        "Paris is large.\nSee Rome !\n",
        "Paris O\nis O\nlarge O\n. O\n\nSee\tO\nRome\tB-LOC\n! O\n",
        "Paris\nis\nlarge\n.\n\nSee\nRome\n!",
    ],
    ids=["text", "CoNLL", "words"],
)
def test_standard_input_is_text_or_a_token_a_line(given):
    lines = [line.encode() for line in given.splitlines(keepends=True)]
    assert list(plain.sentences(lines)) == [("Paris", "is", "large", "."), ("See", "Rome", "!")]


def test_standard_input_has_an_encoding(tmp_path):
    place = tmp_path / "m.npz"
    begun_on(settings(), list(corpus.read(PRACTICE))).save(place)
    given = "München\n".encode("latin-1")
    assert run("--predict", place, given=given).exit_code == 2
    done = run("--predict", place, "--encoding", "latin-1", given=given)
    assert done.exit_code == 0 and done.output.startswith("München ")


@pytest.mark.parametrize(
    "content, said",
    [
        ("in O\nParis I-PER\n\nsees O\nRome B-LOC\n\nBonn B-LOC\nalso O\n", ["line 2", "I-PER where BIO has B-PER; 1 such line"]),
        ("# of = 1\nParis B-LOC\n\nin O\nNew B-LOC\nYork I-PER\n", ["line 6", "I-PER where BIO has B-PER; 1 such line"]),
        ("New I-LOC\nYork I-LOC\n\nParis B-LOC\nBonn I-PER\n\nRome I-LOC\n", ["line 4", "B-LOC where IOB1 has I-LOC; 1 such"]),
        ("1 Paris B-LOC\n2 is O\n\n1 Rome B-LOC\n", ["counts 1, 2, 3"]),
        ("Paris U-LOC\nNew B-LOC\nYork L-LOC\n", []),
        (GOOD, []),
    ],
)
def test_what_looks_wrong_in_a_file_is_told(tmp_path, content, said):
    path = tmp_path / "text.conll"
    path.write_text(content, encoding="utf-8")
    told = " ".join(corpus.parts(path).doubts)
    assert all(part in told for part in said) and bool(said) == bool(told), told
    assert " ".join(corpus.parts(PRACTICE, dev=str(path)).doubts) == told
    if said:
        done = run(PRACTICE, "--test", path, "--epochs", 0)
        assert done.exit_code == 0 and f"Warning: {told}" in done.output


def test_a_part_without_sentences_is_an_error(tmp_path):
    empty = tmp_path / "empty.conll"
    empty.write_text("\n\n", encoding="utf-8")
    for part in ("--dev", "--test"):
        done = run(PRACTICE, part, empty)
        assert done.exit_code == 2 and "empty.conll holds no sentence" in " ".join(done.output.split())


def test_a_token_may_be_a_no_break_space(tmp_path):
    path = tmp_path / "text.conll"
    path.write_text("\xa0 O\n10\xa0km O\n\xa0\tO\n\x0b O\n", encoding="utf-8")
    assert next(corpus.read(path)).words == ("\xa0", "10\xa0km", "\xa0", "\x0b")


def test_lines_of_a_part_are_counted_from_the_beginning_of_the_file(tmp_path):
    path = tmp_path / "text.conll"
    path.write_text(GOOD + "Paris\n\n" + GOOD, encoding="utf-8")
    with pytest.raises(corpus.GivenError, match="line 37 of .*text.conll has no tag"):
        [list(corpus.read(path, start=a, end=b)) for a, b in corpus.cuts(path, 40)]


def test_the_margin_model_wants_corrupt_windows(tmp_path):
    path = tmp_path / "text.conll"
    path.write_text("Paris I-LOC\n\n", encoding="utf-8")
    done = run(path, "--model", "margin")
    assert done.exit_code == 2 and "Every word of the training part is of the class LOC" in " ".join(done.output.split())


@pytest.mark.parametrize(
    "content, said",
    [
        (b"Paris I-LOC\nis\n", "line 2 of .* has no tag"),
        (b"Paris I-LOC\nis X O\n", "line 2 of .* has 3 columns, but line 1 has 2"),
        (b"Paris LOC\n", "line 1 of .* ends in 'LOC', which is no tag"),
        (b"Paris I-LOC\n\nM\xfcnchen I-LOC\n", "line 3 of .* is not utf-8: byte 2 of it is 0xfc.*latin-1"),
        ("Paris O\n".encode("utf-16"), "UTF-16"),
        (b"Paris\0 O\n", "zero byte"),
        (b"\n\n", "holds no sentence"),
        (b"Paris I-LOC\n#foo B_LOC\n", "line 2 of .* ends in 'B_LOC', which is no tag"),
        (b"Paris I-LOC\n# I_PER\n", "line 2 of .* ends in 'I_PER', which is no tag.* # key = value"),
        (b"# I_PER\nParis I-LOC\n", "line 1 of .* ends in no tag"),
        (b"Paris I-LOC\n\n# id = 7\n# I_PER\n", "line 4 of .* ends in 'I_PER'"),
        (b"Paris I-LOC\ris O\r", "carriage return alone"),
        (b"Paris O\nis O\n", "holds no entity"),
    ],
)
def test_what_is_wrong_with_a_file_is_a_sentence_with_its_line(tmp_path, content, said):
    path = tmp_path / "text.conll"
    path.write_bytes(content)
    done = run(path)
    assert done.exit_code == 2 and "Traceback" not in done.output
    assert re.search(said, " ".join(done.output.split())), done.output


@pytest.mark.parametrize(
    "arguments, said",
    [
        ([], "Say which corpus"),
        (["nowhere.conll"], "cannot be read"),
        ([PRACTICE, "--features", "words,shape"], "'shape'"),
        ([PRACTICE, "--model", "margin", "--class", "GPE"], "class 'GPE'; it holds DATE, LOC, MISC, ORG, PER"),
        ([PRACTICE, "--hidden", "-1"], "--hidden"),
        ([PRACTICE, "--rate", "0"], "--rate"),
        ([PRACTICE, "--encoding", "klingon"], "No encoding is called 'klingon'"),
        ([PRACTICE, "--save", "no/such/folder.npz"], "there is no folder"),
        ([PRACTICE, "--resume", PRACTICE], "no model that --save wrote"),
        (["--predict", "nowhere.npz"], "cannot be read"),
        ([PRACTICE, "--optimizer", "sgd", "--rate", "1e308", "--epochs", "3"], "smaller --rate"),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_is_wrong_with_the_options_is_a_sentence(arguments, said):
    done = run(*arguments)
    assert done.exit_code == 2 and said in " ".join(done.output.split()), done.output


def test_a_resumed_run_keeps_its_settings_and_its_text(tmp_path):
    place = tmp_path / "m.npz"
    assert run(PRACTICE, "--hidden", 8, "--epochs", 1, "--save", place).exit_code == 0
    for arguments, said in (
        ([PRACTICE, "--hidden", 9, "--epochs", 2], "begun with --hidden 8, not 9"),
        ([PRACTICE, "--epochs", 1], "has done 1 epochs already"),
        ([LECTURE, "--epochs", 2], "another text"),
    ):
        done = run(*arguments, "--resume", place)
        assert done.exit_code == 2 and said in " ".join(done.output.split()), done.output


@pytest.mark.parametrize(
    "content",
    [
        GOOD.encode(),
        b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode(),  # a BOM, and the ends of lines of Windows
        GOOD.replace(" ", "\t").replace("Paris", "New York").encode(),
        b"-DOCSTART- -X- -X- O\n\n" + GOOD.replace(" ", " NNP B-NP ").encode(),  # the four columns of CoNLL-2003
        ("-DOCSTART-\n" + GOOD.replace("I-LOC", "S-work-of-art")).encode(),
        ("# a comment, of no sentence\n# id = 7\n" + GOOD.replace("I-LOC", "B-LOC").replace("is", "#")).encode(),
        b"Paris I-LOC\nis O\n",  # one sentence: no dev part, no test part
        b"Paris I-LOC\nis O\n\nis O\n\nnot O\n",  # no entity in what is held back
    ],
    ids=["IOB1", "BOM and CRLF", "tabs", "CoNLL-2003", "BIOES", "comment", "one sentence", "nothing held back"],
)
def test_files_of_every_kind_are_learned(tmp_path, content):
    path = tmp_path / "text.conll"
    path.write_bytes(content)
    told = tmp_path / "m.json"
    for model in LOSSES if len(content) < 50 else ["softmax"]:
        done = run(path, "--model", model, "--epochs", 2, "--hidden", 4, "--plot", tmp_path / "plots", "--json", told)
        assert done.exit_code == 0, done.output
        json.loads(told.read_text(encoding="utf-8"), parse_constant=lambda name: pytest.fail(name))


@pytest.mark.parametrize("name", ["[/LOC]", "[red]:smile:"])
def test_names_of_the_text_are_no_markup(tmp_path, name):
    path = tmp_path / "text.conll"
    path.write_text(GOOD.replace("LOC", name).replace("Paris", name), encoding="utf-8")
    done = run(path, "--epochs", 1, "--hidden", 4, "--plot", tmp_path / f"p{name}")
    assert done.exit_code == 0, done.output
    assert f" {name}\nmodel" in done.output
    assert any(line.split()[:1] == [name] for line in done.output.splitlines())  # the row of the class
    assert str(tmp_path / f"p{name}" / "loss.svg") in done.output


def test_other_encodings_are_read(tmp_path):
    path = tmp_path / "text.conll"
    path.write_bytes("München I-LOC\nist O\n\n".encode("latin-1"))
    assert next(corpus.read(path, "latin-1")).words == ("München", "ist")


def test_a_class_that_the_training_part_does_not_have_is_missed(tmp_path):
    path = tmp_path / "text.conll"
    path.write_text(GOOD + "Bach I-PER\nis O\n", encoding="utf-8")
    done = run(path, "--epochs", 2, "--hidden", 4, "--json", tmp_path / "m.json")
    assert done.exit_code == 0, done.output
    found = json.loads((tmp_path / "m.json").read_text(encoding="utf-8"))["test"]["entities"]
    assert found["PER"]["gold"] == 1 and found["PER"]["found"] == 0


@pytest.mark.parametrize("size", [1, 7, 100, 1000, 10**6])
def test_the_parts_of_a_file_hold_every_sentence_once(tmp_path, size):
    path = tmp_path / "text.conll"
    path.write_bytes(b"\n\n" + Path(LECTURE).read_bytes() + b"\r\n\r\n" + Path(PRACTICE).read_bytes().rstrip())
    cuts = corpus.cuts(path, size)
    assert cuts[0][0] == 0 and all(a[1] == b[0] for a, b in itertools.pairwise(cuts))
    found = [s for start, end in cuts for s in corpus.read(path, start=start, end=end)]
    assert found == list(corpus.read(path)) and len(found) == 50


def test_ctrl_c_saves_and_the_run_is_taken_up(tmp_path):
    import os
    import signal
    import subprocess
    import sys
    import time

    script = Path(__file__).parent.parent / "examples" / "ner_window.py"
    place = tmp_path / "m.npz"
    command = [sys.executable, str(script), PRACTICE, "--hidden", "8", "--epochs", "100000", "--save", str(place)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    until = time.monotonic() + 60
    while not place.exists() and time.monotonic() < until:
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130 and "--resume" in out and not err
    saved = checkpoint.load(place)
    assert saved.epoch >= 1
    assert run(PRACTICE, "--resume", place, "--epochs", saved.epoch + 1).exit_code == 0


@pytest.mark.parametrize("program", ["ner_window.py", "ner_dask.py"])
def test_ctrl_c_while_importing_has_its_status(tmp_path, program):
    import os
    import subprocess
    import sys

    (tmp_path / "click.py").write_text("import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(9)\n")
    command = [sys.executable, str(SENTENCES.parent.parent / program)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert done.returncode == 130 and not done.stderr


def test_no_file_of_an_earlier_run_is_written_over(tmp_path, monkeypatch):
    from ner_window import RESCUE, free

    monkeypatch.chdir(tmp_path)
    for expected in (RESCUE, "interrupted-2.npz", "interrupted-3.npz"):
        assert free(RESCUE) == expected
        Path(expected).touch()


def test_places_that_cannot_be_written_are_told_before_the_work(tmp_path):
    (tmp_path / "file").touch()
    for option in ("--plot", "--save", "--json"):
        done = run(PRACTICE, option, tmp_path / "file" / "x.npz", "--epochs", 1)
        assert done.exit_code == 2 and "epoch 1" not in done.output and "file" in done.output


def test_a_checkpoint_has_the_mode_of_other_files(parts, tmp_path):
    (tmp_path / "other").touch()
    begun_on(settings(), parts.train).save(tmp_path / "run.npz")
    assert (tmp_path / "run.npz").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_the_axis_of_a_score_is_where_its_values_are():
    from ner.pictures import around

    for held in ([0.9612, 0.9702], [0.0, 0.0], [1.0], [0.1, 0.93], [0.5] * 3, []):
        marks = around(held)
        assert 2 <= len(marks) <= 8 and min(marks) >= 0 and max(marks) <= 1 + 1e-12
        assert all(marks[0] <= s <= marks[-1] + 1e-12 for s in held)
        assert marks[-1] - marks[0] <= max(2 * (max(held, default=1) - min(held, default=0)), 0.041)


def test_a_check_that_fails_or_cannot_be_carried_out_has_status_1(monkeypatch):
    def none(training):
        raise mc.CheckError("loss has no finite value")

    monkeypatch.setattr(Training, "check", none)
    done = run(PRACTICE, "--epochs", 1)
    assert done.exit_code == 1 and "could not be checked: loss has no finite value" in done.output
    wrong = mc.check_gradient(lambda W: float((W**2).sum()), lambda W: {"W": -W}, {"W": np.arange(3.0)})
    monkeypatch.setattr(Training, "check", lambda training: wrong)
    done = run(PRACTICE, "--epochs", 1)
    assert done.exit_code == 1 and str(wrong) in done.output and "epoch 1" not in done.output


def test_the_check_fits_a_terminal(parts):
    from rich.console import Console

    console = Console(width=80)
    with console.capture() as shown:
        report.show_check(console, Training(begun_on(settings(), parts.train), parts).check())
    lines = shown.get().splitlines()
    assert sum(line.split()[:1] == ["L_words"] for line in lines) == 1 and max(map(len, lines)) <= 80
    assert len(lines) < 18 and lines[-2].startswith("ok: every gradient agrees")


def test_the_tagger_of_no_sentences_says_nothing(classifier):
    tagger: Tagger = classifier.tagger
    assert tagger.tags(tagger.text([])) == []
    assert LENGTHS["words"] == 50
