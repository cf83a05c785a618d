"""CS231n, assignments 1 and 2: layers with a forward pass that leaves a cache, losses that give their gradient beside them.

Examples are rows. The variance of a normalisation is divided by N, and eps stands inside the root; the penalty of a linear
classifier is reg * sum(W * W), without a half.
"""

from matcalc.courses.table import Formula, Row

TITLE = "CS231n, assignments 1 and 2"

ROWS = [
    Row(
        "affine",
        [Formula("affine", "x: N D, w: D M, b: M", "out = x @ w + b.T", by="x w b")],
        '''
        def affine_forward(x: Array, w: Array, b: Array) -> tuple[Array, tuple]:
            """x w + b for examples of any shape.

            x: (N, d1, ..., dk), with D = d1 ... dk
            w: (D, M)
            b: (M,)
            """
            out, cache = _affine_forward(x.reshape(len(x), len(w)), w, b)
            return out, (x.shape, cache)


        def affine_backward(dout: Array, cache: tuple) -> tuple[Array, Array, Array]:
            """dx, dw and db, for the upstream gradient of shape (N, M)."""
            shape, cache = cache
            dx, dw, db = _affine_backward(dout, cache)
            return dx.reshape(shape), dw, db
        ''',
    ),
    Row(
        "relu",
        [Formula("relu", "x: n", "out = relu(x)", by="x")],
        '''
        def relu_forward(x: Array) -> tuple[Array, tuple]:
            """max(0, x), entry by entry, of an array of any shape."""
            out, cache = _relu_forward(x.ravel())
            return out.reshape(x.shape), cache


        def relu_backward(dout: Array, cache: tuple) -> Array:
            """dx, in the shape of the upstream gradient."""
            (dx,) = _relu_backward(dout.ravel(), cache)
            return dx.reshape(dout.shape)
        ''',
    ),
    Row(
        "softmax_loss",
        [Formula("softmax_loss", "x: N C, y: N", "loss = -sum(take(eye(C), y) * log_softmax(x, axis=1)) / N", by="x")],
        '''
        def softmax_loss(x: Array, y: Array) -> tuple[float, Array]:
            """The mean cross-entropy of the softmax of scores, and its gradient dx.

            x: (N, C)
            y: (N,), the number of the right class of each example
            """
            loss, cache = _softmax_loss_forward(x, y=y)
            (dx,) = _softmax_loss_backward(1.0, cache)
            return loss, dx
        ''',
    ),
    Row(
        "svm_loss",
        [
            Formula(
                "svm_loss",
                "x: N C, y: N",
                """
                Y = take(eye(C), y)
                correct = sum(x * Y, axis=1)
                margins = x - correct + 1 - Y
                loss = sum(maximum(0, margins)) / N
                """,
                by="x",
            )
        ],
        '''
        def svm_loss(x: Array, y: Array) -> tuple[float, Array]:
            """The mean multiclass hinge loss of scores with margin 1, and its gradient dx.

            x: (N, C)
            y: (N,), the number of the right class of each example
            """
            loss, cache = _svm_loss_forward(x, y=y)
            (dx,) = _svm_loss_backward(1.0, cache)
            return loss, dx
        ''',
    ),
    Row(
        "softmax_loss_vectorized",
        [
            Formula(
                "linear_softmax",
                "W: D C, X: N D, y: N, reg: scalar",
                """
                scores = X @ W
                loss = -sum(take(eye(C), y) * log_softmax(scores, axis=1)) / N + reg * sum(W * W)
                """,
                by="W",
            )
        ],
        '''
        def softmax_loss_vectorized(
            W: Array, X: Array, y: Array, reg: float
        ) -> tuple[float, Array]:
            """The mean cross-entropy of a linear classifier with its penalty, and dW.

            W: (D, C)
            X: (N, D)
            y: (N,), the number of the right class of each example
            """
            loss, cache = _linear_softmax_forward(W, X=X, y=y, reg=reg)
            (dW,) = _linear_softmax_backward(1.0, cache)
            return loss, dW
        ''',
    ),
    Row(
        "svm_loss_vectorized",
        [
            Formula(
                "linear_svm",
                "W: D C, X: N D, y: N, reg: scalar",
                """
                Y = take(eye(C), y)
                scores = X @ W
                correct = sum(scores * Y, axis=1)
                margins = scores - correct + 1 - Y
                loss = sum(maximum(0, margins)) / N + reg * sum(W * W)
                """,
                by="W",
            )
        ],
        '''
        def svm_loss_vectorized(
            W: Array, X: Array, y: Array, reg: float
        ) -> tuple[float, Array]:
            """The mean multiclass hinge loss of a linear classifier with its penalty, and dW.

            W: (D, C)
            X: (N, D)
            y: (N,), the number of the right class of each example
            """
            loss, cache = _linear_svm_forward(W, X=X, y=y, reg=reg)
            (dW,) = _linear_svm_backward(1.0, cache)
            return loss, dW
        ''',
    ),
    Row(
        "batchnorm",
        [
            Formula(
                "batchnorm",
                "x: N D, gamma beta: D, eps: scalar",
                """
                mu = mean(x, axis=0)
                xc = x - mu
                var = mean(xc**2, axis=0)
                std = sqrt(var + eps)
                xhat = xc / std
                out = xhat * gamma.T + beta.T
                """,
                by="x gamma beta",
            ),
            Formula(
                "batchnorm_test",
                "x: N D, gamma beta mu var: D, eps: scalar",
                """
                std = sqrt(var + eps)
                xhat = (x - mu.T) / std.T
                out = xhat * gamma.T + beta.T
                """,
                by="x gamma beta",
            ),
        ],
        '''
        def batchnorm_forward(
            x: Array, gamma: Array, beta: Array, bn_param: dict
        ) -> tuple[Array, tuple]:
            """Normalisation over the batch; in mode "test" by the running averages.

            x: (N, D)
            gamma, beta: (D,)
            bn_param: mode, "train" or "test", eps and momentum; running_mean and
            running_var are kept in it
            """
            eps, momentum = bn_param.get("eps", 1e-5), bn_param.get("momentum", 0.9)
            mean = bn_param.get("running_mean", np.zeros(x.shape[1], x.dtype))
            var = bn_param.get("running_var", np.zeros(x.shape[1], x.dtype))
            mode = bn_param["mode"]
            if mode == "train":
                out, cache = _batchnorm_forward(x, gamma, beta, eps=eps)
                mean = momentum * mean + (1 - momentum) * x.mean(axis=0)
                var = momentum * var + (1 - momentum) * x.var(axis=0)
            elif mode == "test":
                out, cache = _batchnorm_test_forward(x, gamma, beta, mu=mean, var=var, eps=eps)
            else:
                raise ValueError(f"the mode is train or test, not {mode}")
            bn_param["running_mean"], bn_param["running_var"] = mean, var
            return out, (mode, cache)


        def batchnorm_backward(dout: Array, cache: tuple) -> tuple[Array, Array, Array]:
            """dx, dgamma and dbeta, for the upstream gradient of shape (N, D)."""
            mode, cache = cache
            if mode == "test":
                return _batchnorm_test_backward(dout, cache)
            return _batchnorm_backward(dout, cache)


        def batchnorm_backward_alt(dout: Array, cache: tuple) -> tuple[Array, Array, Array]:
            """The same: the formula is simplified already."""
            return batchnorm_backward(dout, cache)
        ''',
    ),
    Row(
        "layernorm",
        [
            Formula(
                "layernorm",
                "x: N D, gamma beta: D, eps: scalar",
                """
                mu = mean(x, axis=1)
                xc = x - mu
                var = mean(xc**2, axis=1)
                std = sqrt(var + eps)
                xhat = xc / std
                out = xhat * gamma.T + beta.T
                """,
                by="x gamma beta",
            )
        ],
        '''
        def layernorm_forward(
            x: Array, gamma: Array, beta: Array, ln_param: dict
        ) -> tuple[Array, tuple]:
            """Normalisation of each example over its features.

            x: (N, D)
            gamma, beta: (D,)
            ln_param: eps
            """
            return _layernorm_forward(x, gamma, beta, eps=ln_param.get("eps", 1e-5))


        def layernorm_backward(dout: Array, cache: tuple) -> tuple[Array, Array, Array]:
            """dx, dgamma and dbeta, for the upstream gradient of shape (N, D)."""
            return _layernorm_backward(dout, cache)
        ''',
    ),
    Row(
        "rnn_step",
        [
            Formula(
                "rnn_step",
                "x: N D, h: N H, Wx: D H, Wh: H H, b: H",
                """
                z = x @ Wx + h @ Wh + b.T
                out = tanh(z)
                """,
                by="x h Wx Wh b",
            )
        ],
        '''
        def rnn_step_forward(
            x: Array, prev_h: Array, Wx: Array, Wh: Array, b: Array
        ) -> tuple[Array, tuple]:
            """One step of a recurrent net: tanh(x Wx + prev_h Wh + b).

            x: (N, D)
            prev_h: (N, H)
            Wx: (D, H)
            Wh: (H, H)
            b: (H,)
            """
            return _rnn_step_forward(x, prev_h, Wx, Wh, b)


        def rnn_step_backward(
            dnext_h: Array, cache: tuple
        ) -> tuple[Array, Array, Array, Array, Array]:
            """dx, dprev_h, dWx, dWh and db, for the upstream gradient of shape (N, H)."""
            return _rnn_step_backward(dnext_h, cache)
        ''',
    ),
    Row(
        "word_embedding",
        [Formula("word_embedding", "x: n, W: V D", "out = take(W, x)", by="W")],
        '''
        def word_embedding_forward(x: Array, W: Array) -> tuple[Array, tuple]:
            """The vector of each word, of shape (N, T, D).

            x: (N, T), numbers of words
            W: (V, D)
            """
            out, cache = _word_embedding_forward(W, x=x.ravel())
            return out.reshape(*x.shape, W.shape[1]), cache


        def word_embedding_backward(dout: Array, cache: tuple) -> Array:
            """dW, to whose rows the upstream gradients of their words are added."""
            (dW,) = _word_embedding_backward(dout.reshape(-1, dout.shape[-1]), cache)
            return dW
        ''',
    ),
]
