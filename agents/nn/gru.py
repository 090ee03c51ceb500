"""A gated recurrent unit over many parameter sets: forward, backward and second derivative.

    r = σ(x_r + h W_r),   z = σ(x_z + h W_z)                                   (reset, update)
    p = h W_n + b_n,      c = tanh(x_n + r p)                                  (proposal, candidate)
    h' = (1 - z) c + z h

x already holds the input's part of the gates. Only the candidate has a recurrent bias. This is
flax's GRUCell (and torch's, with two biases at 0).

All derivatives are written out, and that of W is one matmul over all steps: an update of a learner
takes 4 to 8 % less than through autograd's graph (docs/learners/costs.md). The gradient can itself
be differentiated, once (POLA's look-ahead needs that): along a direction (x, W, b)˙ the derivative
of the backward pass is the backward pass of the tangents, so one sweep forward in time and one back
give all of it.

Paper   Cho et al. 2014, https://arxiv.org/abs/1406.1078
Shapes  T steps, K parameter sets, n games a set, H units; gates in the order r, z, candidate.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def gru_step(x: Tensor, h: Tensor, recurrent: Tensor, bias: Tensor) -> Tensor:
    """One step.  [K, n, 3H], [K, n, H], [K, H, 3H], [K, 1, H] -> [K, n, H]."""
    size = h.shape[-1]
    from_h = torch.bmm(h, recurrent)
    gates = torch.sigmoid(x[..., : 2 * size] + from_h[..., : 2 * size])
    r, z = gates[..., :size], gates[..., size:]
    c = tanh(torch.addcmul(x[..., 2 * size :], r, from_h[..., 2 * size :] + bias))
    return torch.lerp(c, h, z)


def tanh(x: Tensor) -> Tensor:
    """2 σ(2x) - 1, which on a CPU takes a third of the time of torch's own; float32 to 2e-7."""
    if x.is_cuda:
        return torch.tanh(x)
    half = torch.sigmoid(x + x)
    return (half + half).sub_(1)


def tanh_(x: Tensor) -> Tensor:
    """The same in place, equal bit for bit."""
    return x.tanh_() if x.is_cuda else x.mul_(2).sigmoid_().mul_(2).sub_(1)


def gru(x: Tensor, recurrent: Tensor, bias: Tensor) -> Tensor:
    """All steps from h = 0.  [T, K, n, 3H], [K, H, 3H], [K, 1, H] -> [T, K, n, H]."""
    hidden: Tensor = _Gru.apply(x, recurrent, bias)  # type: ignore[no-untyped-call]
    return hidden


class _Gru(torch.autograd.Function):
    """(x, W, b) -> h_1 .. h_T."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, recurrent: Tensor, bias: Tensor) -> Tensor:
        steps, sets, games, width = x.shape
        size = width // 3
        matrix = recurrent.contiguous()

        # What the way back needs is written in place, step by step.
        h = x.new_zeros(steps + 1, sets, games, size)
        gates = x.new_empty(steps, sets, games, 2 * size)
        proposal, candidate = torch.empty_like(h[1:]), torch.empty_like(h[1:])
        from_h = torch.empty_like(x[0])

        for t in range(steps):
            torch.bmm(h[t], matrix, out=from_h)
            torch.add(x[t, ..., : 2 * size], from_h[..., : 2 * size], out=gates[t]).sigmoid_()
            r, z = gates[t, ..., :size], gates[t, ..., size:]
            torch.add(from_h[..., 2 * size :], bias, out=proposal[t])
            tanh_(torch.addcmul(x[t, ..., 2 * size :], r, proposal[t], out=candidate[t]))
            torch.lerp(candidate[t], h[t], z, out=h[t + 1])

        ctx.save_for_backward(x, recurrent, bias, h, gates, proposal, candidate)
        return h[1:]

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x, recurrent, bias, *saved = ctx.saved_tensors
        apply: Callable[..., tuple[Tensor, Tensor, Tensor]] = _GruGradient.apply
        gradients = apply(grad, x, recurrent, bias, saved)
        return gradients


class _GruGradient(torch.autograd.Function):
    """(∂/∂h) -> (∂/∂x, ∂/∂W, ∂/∂b), as a function of x, W and b too."""

    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> tuple[Tensor, Tensor, Tensor]:
        grad, _, recurrent, _, (h, gates, proposal, candidate) = inputs
        steps, sets, games, size = grad.shape
        twice = any(ctx.needs_input_grad)
        by_x = grad.new_empty(steps, sets, games, 3 * size)  # derivatives by the gates' sums
        by_h = grad.new_empty(steps, sets, games, 3 * size)  # the same, by their recurrent parts
        after = torch.zeros_like(grad[0])
        transposed = recurrent.transpose(1, 2).contiguous()
        totals = []

        # Backwards in time; d is the derivative by h_{t+1}, from outside and from step t + 1.
        for t in reversed(range(steps)):
            r, z = gates[t, ..., :size], gates[t, ..., size:]
            c, d = candidate[t], after + grad[t]

            # By the candidate's sum, and by both gates' sums: σ' = g - g².
            dc = torch.addcmul(d, d, z, value=-1)
            dc = torch.addcmul(dc, dc, c * c, value=-1)
            dz = d * (h[t] - c)
            dr = dc * proposal[t]
            both = torch.cat((dr, dz), -1).mul_(gates[t])
            torch.addcmul(both, both, gates[t], value=-1, out=by_x[t, ..., : 2 * size])
            by_x[t, ..., 2 * size :] = dc
            by_h[t, ..., : 2 * size] = by_x[t, ..., : 2 * size]
            torch.mul(dc, r, out=by_h[t, ..., 2 * size :])

            # By h_t: what passes the update gate, and what passes the sums.
            if twice:
                totals.append(d)
                d = d * z
            else:
                d.mul_(z)
            after = torch.baddbmm(d, by_h[t], transposed)

        if twice:
            ctx.totals = totals[::-1]
            ctx.save_for_backward(recurrent, h, gates, proposal, candidate, by_h)
        past, by_sums = by_set(h[:-1]), by_set(by_h)
        by_w = torch.bmm(past.transpose(1, 2), by_sums)
        return by_x, by_w, by_sums[..., 2 * size :].sum(1, keepdim=True)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(
        ctx: Any, x_dot: Tensor, w_dot: Tensor, b_dot: Tensor
    ) -> tuple[Tensor | None, ...]:
        recurrent, h, gates, proposal, candidate, by_h = ctx.saved_tensors
        size = h.shape[-1]
        h_dot, sums_dot, c_dot = tangents(ctx.saved_tensors, x_dot, w_dot, b_dot)
        if not any(ctx.needs_input_grad[1:4]):
            return h_dot[1:], None, None, None, None

        by_x_dot, by_h_dot = torch.empty_like(by_h), torch.empty_like(by_h)
        transposed = recurrent.transpose(1, 2).contiguous()
        w_dot = w_dot.transpose(1, 2).contiguous()
        after = torch.zeros_like(h[0])

        # Each line of `forward` above, differentiated along the direction.
        for t in reversed(range(len(by_h))):
            r, z = gates[t].split(size, -1)
            gate_dot, p_dot = sums_dot[t, ..., : 2 * size], sums_dot[t, ..., 2 * size :]
            r_dot, z_dot = gate_dot.split(size, -1)
            c, d, d_dot, over = candidate[t], ctx.totals[t], after, h[t] - candidate[t]

            left = torch.addcmul(d, d, z, value=-1)  # derivative by c
            dq = torch.addcmul(left, left, c * c, value=-1)
            left_dot = torch.addcmul(torch.addcmul(d_dot, d_dot, z, value=-1), d, z_dot, value=-1)
            dq_dot = torch.addcmul(left_dot, left_dot, c * c, value=-1).addcmul_(
                left * c, c_dot[t], value=-2
            )
            by_x_dot[t, ..., 2 * size :] = dq_dot
            torch.mul(dq_dot, r, out=by_h_dot[t, ..., 2 * size :]).addcmul_(dq, r_dot)

            # Both gates at once: σ' = g - g², and along the direction (1 - 2 g) g˙.
            first = torch.cat((dq * proposal[t], d * over), -1)
            second = torch.cat(
                (
                    (dq_dot * proposal[t]).addcmul_(dq, p_dot),
                    (d_dot * over).addcmul_(d, h_dot[t] - c_dot[t]),
                ),
                -1,
            ).mul_(torch.addcmul(gates[t], gates[t], gates[t], value=-1))
            second.addcmul_(first, torch.addcmul(gate_dot, gates[t], gate_dot, value=-2))
            by_h_dot[t, ..., : 2 * size] = second
            by_x_dot[t, ..., : 2 * size] = second

            carried = (d_dot * z).addcmul_(d, z_dot)
            after = carried.baddbmm_(by_h[t], w_dot).baddbmm_(by_h_dot[t], transposed)

        by_sums = by_set(by_h_dot)
        by_w = torch.bmm(by_set(h[:-1]).transpose(1, 2), by_sums)
        by_w.baddbmm_(by_set(h_dot[:-1]).transpose(1, 2), by_set(by_h))
        return h_dot[1:], by_x_dot, by_w, by_sums[..., 2 * size :].sum(1, keepdim=True), None


def tangents(
    saved: tuple[Tensor, ...], x_dot: Tensor, w_dot: Tensor, b_dot: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The derivatives of a forward pass along a direction of (x, W, b).

    Args:
        saved: what `_GruGradient.forward` keeps.
        x_dot: [T, K, n, 3H], x˙.
        w_dot: [K, H, 3H], W˙.
        b_dot: [K, 1, H], b˙.

    Returns:
        h˙ [T + 1, K, n, H]; r˙, z˙ and p˙ [T, K, n, 3H]; c˙ [T, K, n, H].
    """
    recurrent, h, gates, proposal, candidate, by_h = saved
    size = h.shape[-1]
    h_dot, sums_dot = torch.zeros_like(h), torch.empty_like(by_h)
    c_dot = torch.empty_like(candidate)
    matrix, w_dot = recurrent.contiguous(), w_dot.contiguous()

    for t in range(len(gates)):
        c, (r, z) = candidate[t], gates[t].split(size, -1)
        r_dot, z_dot, p_dot = sums_dot[t].split(size, -1)  # parts of what the next lines write
        torch.bmm(h[t], w_dot, out=sums_dot[t]).baddbmm_(h_dot[t], matrix)
        p_dot += b_dot

        gate_dot = sums_dot[t, ..., : 2 * size].add_(x_dot[t, ..., : 2 * size])
        gate_dot.mul_(torch.addcmul(gates[t], gates[t], gates[t], value=-1))

        q_dot = torch.addcmul(x_dot[t, ..., 2 * size :], r, p_dot).addcmul_(r_dot, proposal[t])
        torch.addcmul(q_dot, q_dot, c * c, value=-1, out=c_dot[t])
        torch.lerp(c_dot[t], h_dot[t], z, out=h_dot[t + 1]).addcmul_(z_dot, h[t] - c)

    return h_dot, sums_dot, c_dot


def by_set(x: Tensor) -> Tensor:
    """All samples of each parameter set.  [T, K, n, ...] -> [K, T n, ...]."""
    steps, sets, games = x.shape[:3]
    return x.transpose(0, 1).reshape(sets, steps * games, -1)
