"""What a derivative says: how much f changes for a small change of x. f(x) = x³ at 1 and at 4.

python examples/demonstrations/sensitivity.py
"""

import matcalc as mc

x = mc.scalar("x")
f = x**3


def reading(at, nudge=0.01):
    """f at a place, its slope there, what the slope says of f a nudge further on, and what f is there."""
    slope = float(mc.evaluate(mc.grad(f, x), {x: at}))
    here, there = (float(mc.evaluate(f, {x: value})) for value in (at, at + nudge))
    return here, slope, here + slope * nudge, there


def main():
    """Prints the slopes and what they say."""
    print(f"f(x) = {f}, f′(x) = {mc.grad(f, x)}")
    for at in (1.0, 4.0):
        here, slope, said, there = reading(at)
        print(f"x = {at:g}: f = {here:g}, slope {slope:g}; x + 0.01 changes f by about {slope:g} · 0.01 = {slope / 100:g}")
        print(f"       f({at + 0.01:g}) = {there:.6f}, of which the slope says {said:.6f}")
    return [reading(at) for at in (1.0, 4.0)]


if __name__ == "__main__":
    main()
