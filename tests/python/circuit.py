"""The circuit of docs/conventions.md, written once more: nodal analysis by SciPy."""

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import spsolve


class Nodes:
    """Nodes merged where a resistance is exactly 0 (union-find by path halving)."""

    def __init__(self):
        self.parent = {}

    def find(self, a):
        self.parent.setdefault(a, a)
        while self.parent[a] != a:
            self.parent[a] = self.parent[self.parent[a]]
            a = self.parent[a]
        return a

    def merge(self, a, b):
        self.parent[self.find(a)] = self.find(b)


def branches(g, source, sink, wordline, bitline):
    """(node, node, ohm) of all resistors, (node, node, siemens) of all cells."""
    m, n = g.shape
    wires = [(("v", i), ("u", i, 0), source) for i in range(m)]
    wires += [(("u", i, j), ("u", i, j + 1), wordline) for i in range(m) for j in range(n - 1)]
    wires += [(("w", i, j), ("w", i + 1, j), bitline) for i in range(m - 1) for j in range(n)]
    wires += [(("w", m - 1, j), ("k", j), sink) for j in range(n)]
    cells = [(("u", i, j), ("w", i, j), g[i, j]) for i in range(m) for j in range(n)]
    return wires, cells


def system(g, source, sink, wordline, bitline):
    """K x = F e over the free nodes; e: the terminals' voltages, wordlines, then bitlines."""
    m, n = g.shape
    wires, cells = branches(g, source, sink, wordline, bitline)
    nodes = Nodes()
    for a, b, ohm in wires:
        if ohm == 0:
            nodes.merge(a, b)
    fixed = {}
    for t in [("v", i) for i in range(m)] + [("k", j) for j in range(n)]:
        fixed[nodes.find(t)] = len(fixed)
    conductances = [(a, b, 1 / ohm) for a, b, ohm in wires if ohm != 0] + cells
    free = {}
    for a, b, _ in conductances:
        for x in (nodes.find(a), nodes.find(b)):
            if x not in fixed:
                free.setdefault(x, len(free))
    rows, columns, values = [], [], []
    right = np.zeros((len(free), m + n))
    for a, b, siemens in conductances:
        a, b = nodes.find(a), nodes.find(b)
        if a == b:
            continue
        for p, q in ((a, b), (b, a)):
            if p in fixed:
                continue
            rows.append(free[p]), columns.append(free[p]), values.append(siemens)
            if q in fixed:
                right[free[p], fixed[q]] += siemens
            else:
                rows.append(free[p]), columns.append(free[q]), values.append(-siemens)
    k = coo_matrix((values, (rows, columns)), shape=(len(free), len(free))).tocsc()
    return k, right, nodes, fixed, free, conductances


def currents(g, voltage, source=0.0, sink=0.0, wordline=0.0, bitline=0.0):
    """I, n, and the voltage of any node as a function."""
    m, n = g.shape
    k, right, nodes, fixed, free, conductances = system(g, source, sink, wordline, bitline)
    terminal = np.concatenate([voltage, np.zeros(n)])
    x = spsolve(k, right @ terminal) if free else np.zeros(0)
    x = np.atleast_1d(x)

    def volt(node):
        node = nodes.find(node)
        return terminal[fixed[node]] if node in fixed else x[free[node]]

    into = np.zeros(n)
    sinks = {nodes.find(("k", j)): j for j in range(n)}
    for a, b, siemens in conductances:
        for p, q in ((a, b), (b, a)):
            if nodes.find(p) in sinks and nodes.find(q) != nodes.find(p):
                into[sinks[nodes.find(p)]] += siemens * (volt(q) - volt(p))
    return into, volt


def effective(g, **wires):
    """G_eff, m x n, from unit inputs."""
    return np.array([currents(g, unit, **wires)[0] for unit in np.eye(g.shape[0])])
