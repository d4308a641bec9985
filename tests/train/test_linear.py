import numpy as np
import pytest
from scipy.sparse import csr_matrix, hstack
from sklearn.svm import LinearSVC

from train.linear import Labelled, fit_all, fit_linear


@pytest.fixture(scope="module")
def problem():
    generator = np.random.default_rng(0)
    x = csr_matrix(generator.random((300, 80)) * (generator.random((300, 80)) < 0.1))
    z = generator.normal(size=(300, 5)).astype(np.float32)
    y = np.stack([x[:, j].toarray().ravel() + 0.3 * z[:, 0] > 0.1 for j in range(4)], axis=1)
    return x, z, y


def liblinear(x, y, cost, sample_weight=None):
    model = LinearSVC(C=cost, tol=1e-9, max_iter=100_000, random_state=0).fit(x, y, sample_weight)
    return np.append(model.coef_[0], model.intercept_)


@pytest.mark.parametrize("cost", [0.1, 1.0, 10.0])
def test_reaches_the_optimum_of_liblinear(problem, cost):
    x, z, y = problem
    weights = fit_linear(x, y, z=z, cost=cost)
    for j in range(y.shape[1]):
        ours = np.concatenate([weights.sparse[:, j], weights.dense[:, j], weights.bias[[j]]])
        np.testing.assert_allclose(ours, liblinear(hstack([x, z]).tocsr(), y[:, j], cost), atol=1e-3)


def test_sample_weights_and_rows_are_as_a_smaller_problem(problem):
    x, _, y = problem
    weight = np.linspace(0.2, 2.0, len(y))
    rows = np.arange(0, len(y), 2)
    weights = fit_linear(x, y, sample_weight=weight, rows=rows)
    expected = liblinear(x[rows], y[rows, 0], 1.0, weight[rows])
    np.testing.assert_allclose(np.append(weights.sparse[:, 0], weights.bias[0]), expected, atol=1e-3)


def test_the_number_of_jobs_changes_nothing(problem):
    x, z, y = problem
    one, two = (fit_linear(x, y, z=z, n_jobs=n) for n in (1, 2))
    assert (one.sparse == two.sparse).all()
    assert (one.dense == two.dense).all()


def test_all_parts_at_once_are_as_one_after_the_other(problem):
    x, z, y = problem
    rows = np.arange(0, len(y), 3)
    together = fit_all(x, [Labelled(y), Labelled(y[:, :2], rows=rows)], z=z)
    for weights, expected in zip(
        together, (fit_linear(x, y, z=z), fit_linear(x, y[:, :2], z=z, rows=rows)), strict=True
    ):
        assert (weights.sparse == expected.sparse).all()
        assert (weights.dense == expected.dense).all()
        assert (weights.bias == expected.bias).all()
