"""CS224n, word2vec: losses of a center word and an outside word, given with their gradients; word vectors are rows.

A dataset gives the number of a random word by ``sampleTokenIdx()``.
"""

from matcalc.courses.table import Formula, Row

TITLE = "CS224n, word2vec"

ROWS = [
    Row("sigmoid", [Formula("sigmoid", "x: n", "out = sigmoid(x)", by="x")], carried=("sigmoid",)),
    Row(
        "naive_softmax_loss_and_gradient",
        [
            Formula(
                "naive_softmax",
                "v: d, U: V d, o: scalar",
                """
                scores = U @ v
                loss = -one_hot(o, V).T @ log_softmax(scores)
                """,
                by="v U",
            )
        ],
        '''
        def naive_softmax_loss_and_gradient(
            center_word_vec: Array,
            outside_word_idx: int,
            outside_vectors: Array,
            dataset=None,
        ) -> tuple[float, Array, Array]:
            """The cross-entropy of the outside word, grad_center_vec and grad_outside_vecs.

            center_word_vec: (d,)
            outside_word_idx: the number of the outside word
            outside_vectors: (V, d)
            dataset: not needed
            """
            loss, cache = _naive_softmax_forward(
                center_word_vec, outside_vectors, o=outside_word_idx
            )
            grad_center_vec, grad_outside_vecs = _naive_softmax_backward(1.0, cache)
            return loss, grad_center_vec, grad_outside_vecs
        ''',
    ),
    Row(
        "neg_sampling_loss_and_gradient",
        [
            Formula(
                "neg_sampling",
                "v: d, U: V d, ids signs: K",
                """
                scores = signs * (take(U, ids) @ v)
                loss = -sum(log(sigmoid(scores)))
                """,
                by="v U",
            )
        ],
        '''
        def get_negative_samples(outside_word_idx: int, dataset, K: int) -> list[int]:
            """The numbers of K random words, none of them the outside word."""
            found = []
            while len(found) < K:
                k = dataset.sampleTokenIdx()
                if k != outside_word_idx:
                    found.append(k)
            return found


        def neg_sampling_loss_and_gradient(
            center_word_vec: Array,
            outside_word_idx: int,
            outside_vectors: Array,
            dataset,
            K: int = 10,
        ) -> tuple[float, Array, Array]:
            """The loss of negative sampling, grad_center_vec and grad_outside_vecs.

            center_word_vec: (d,)
            outside_word_idx: the number of the outside word
            outside_vectors: (V, d)
            dataset: gives the number of a random word by sampleTokenIdx()
            """
            negatives = get_negative_samples(outside_word_idx, dataset, K)
            ids = np.array([outside_word_idx, *negatives])
            signs = np.full(len(ids), -1, center_word_vec.dtype)
            signs[0] = 1
            loss, cache = _neg_sampling_forward(
                center_word_vec, outside_vectors, ids=ids, signs=signs
            )
            grad_center_vec, grad_outside_vecs = _neg_sampling_backward(1.0, cache)
            return loss, grad_center_vec, grad_outside_vecs
        ''',
    ),
]
