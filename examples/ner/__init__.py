"""The named-entity window classifier of the lecture on real text, trained with gradients that matcalc generated.

A file becomes sentences (``corpus``), their tags spans and back (``tags``), their tokens numbers (``vocabulary``), each position a
window (``windows``). A model is the loss of one window as a matcalc expression (``models``); ``learner`` has the batched forward and
backward generated from it, and gives it the rows of the look-up tables that a batch holds. ``training`` takes the steps of ``updates``
and keeps ``checkpoint``s; ``tagger`` turns scores into spans, ``scores`` counts them, ``report`` and ``pictures`` show them.
"""
