"""The named-entity window classifier of the lecture on real text, trained with gradients that matcalc generated.

A file becomes sentences (``corpus``), their tags spans and back (``tags``), their tokens numbers (``vocabulary``), each position
a window (``windows``), windows and labels batches (``examples``). A model is the loss of one window as a matcalc expression
(``models``); its batched forward and backward are generated, and handed the rows of the look-up tables that a batch holds
(``gradients``, ``learner``). ``training`` takes the steps of ``updates`` and keeps a ``checkpoint``; ``tagger`` turns scores into
spans, ``scores`` counts them, ``report`` and ``pictures`` show them. ``chunks`` and ``engine`` step over the parts of a file.
"""
