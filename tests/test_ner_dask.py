"""The gradient over a corpus by Dask: the same as in one process, by parts of a file, and with workers that are killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("dask")

from click.testing import CliRunner
from ner import chunks, corpus
from ner.checkpoint import Settings, load
from ner.engine import Engine
from ner.gradients import gradient
from ner.models import LOSSES, model_of
from ner_dask import Session, main

SENTENCES = Path(__file__).parent.parent / "examples" / "ner" / "sentences"
PRACTICE = str(SENTENCES / "practice.conll")


def session(engine, model="softmax", size=700, **given):
    return Session(engine, chunks.parts(PRACTICE, size), Settings(model=model, hidden=8, batch=64), **given)


def agree(one, other, atol):
    assert one.windows == other.windows and one.loss == pytest.approx(other.loss, rel=1e-12)
    for name, (rows, g) in one.gradient.items():
        there, expected = other.gradient[name]
        assert np.array_equal(rows, there) or rows is there
        np.testing.assert_allclose(g, expected, rtol=0, atol=atol, err_msg=name)


@pytest.mark.parametrize("model", LOSSES)
def test_the_gradient_is_that_of_a_single_process(model):
    by_dask = session(Engine(), model)
    assert len(by_dask.train) > 4
    alone = chunks.Total()
    for part in by_dask.train:
        alone = chunks.together(alone, chunks.total(part, by_dask.kit, by_dask.run.theta, 3))
    agree(by_dask.gradient(by_dask.train, 3), alone, 1e-12)


@pytest.mark.parametrize("size", [300, 10**6])
def test_the_gradient_of_all_windows_at_once(size):
    """Without parts: one batch of the whole text, by the function that is generated for sums."""
    by_dask = session(Engine(), size=size, forget=False)
    from ner.examples import Examples
    from ner.windows import text

    sentences, run = list(corpus.read(PRACTICE)), by_dask.run
    words = text([s.words for s in sentences], run.vocabularies, 2)
    whole = Examples(by_dask.kit.shape, words, run.labels.numbers(sentences), run.vocabularies)
    code = model_of(by_dask.kit.shape).generated("sum").value_and_grad
    batch = whole.batch(np.arange(len(words)), None)
    loss, found = gradient(code, run.theta, batch, by_dask.kit.tables)
    agree(by_dask.gradient(by_dask.train, 0), chunks.Total(loss, len(words), found), 1e-10)


def test_the_counts_of_the_parts_are_those_of_the_text():
    few, many = (session(Engine(), size=size) for size in (10**6, 300))
    assert few.sentences == many.sentences == 40
    assert few.run.vocabularies == many.run.vocabularies and few.run.labels == many.run.labels
    assert all(np.array_equal(few.run.theta[name], many.run.theta[name]) for name in few.run.theta)


def test_the_program_trains_and_saves(tmp_path):
    place = tmp_path / "m.npz"
    done = CliRunner().invoke(main, [PRACTICE, "--blocksize", "300B", "--epochs", "4", "--hidden", "8", "--save", str(place)])
    assert done.exit_code == 0, done.output
    losses = [float(line.split()[3]) for line in done.output.splitlines() if line.startswith("epoch")]
    assert len(losses) == 4 and losses[-1] < losses[0] / 2
    assert load(place).epoch == 4
    from ner_window import main as window

    done = CliRunner().invoke(window, [PRACTICE, "--resume", str(place), "--epochs", "5"])
    assert done.exit_code == 2 and "The checkpoint is of ner_dask.py" in " ".join(done.output.split())


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["nowhere.conll"], "cannot be read"),
        ([PRACTICE, "--blocksize", "lots"], "--blocksize is a number of bytes"),
        ([PRACTICE, "--model", "margin", "--class", "GPE"], "class 'GPE'"),
    ],
)
def test_what_is_wrong_is_a_sentence(arguments, said):
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 2 and said in " ".join(done.output.split()), done.output


def test_an_empty_file_is_a_sentence(tmp_path):
    path = tmp_path / "empty.conll"
    for content, said in (("", "is empty"), ("\n\n", "holds no entity")):
        path.write_text(content, encoding="utf-8")
        done = CliRunner().invoke(main, [str(path)])
        assert done.exit_code == 2 and said in " ".join(done.output.split()), done.output


def test_windows_of_one_word():
    alone = Session(Engine(), chunks.parts(PRACTICE, 700), Settings(hidden=8, batch=64, reach=0))
    assert alone.epoch(1) > alone.epoch(1) > 0


def test_a_killed_worker_does_not_change_the_gradient(monkeypatch):
    """Two worker processes; one is killed while they work, and every sum is what it would have been."""
    sent = []
    monkeypatch.setattr(chunks.Kit, "__getstate__", lambda kit: sent.append(kit) or kit.__dict__, raising=False)
    distributed = pytest.importorskip("distributed")
    import threading

    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        by_dask = session(Engine(client=client), size=250)
        assert len(by_dask.train) > 8
        expected = by_dask.gradient(by_dask.train, 0)
        agree(expected, session(Engine(), size=250).gradient(by_dask.train, 0), 1e-12)
        once = len(sent)
        by_dask.gradient(by_dask.train, 1)
        assert len(sent) == once > 0  # the kit stays where it is from step to step
        pids = list(client.run(os.getpid).values())
        killer = threading.Timer(0.2, os.kill, (pids[0], signal.SIGKILL))
        killer.start()
        while killer.is_alive():
            agree(by_dask.gradient(by_dask.train, 0), expected, 1e-12)
        agree(by_dask.gradient(by_dask.train, 0), expected, 1e-12)
        assert pids[0] not in client.run(os.getpid).values()


def test_workers_need_not_have_matcalc():
    alone = "import sys, ner.chunks, ner.engine; assert not {'matcalc', 'sympy'} & {*sys.modules}"
    examples = SENTENCES.parent.parent
    subprocess.run([sys.executable, "-c", alone], check=True, cwd=examples)
