"""A gated recurrent unit over many parameter sets, forward and backward written out.

    r = σ(x_r + h W_r),   z = σ(x_z + h W_z)                                   (reset, update)
    c = tanh(x_n + r (h W_n + b_n))                                            (candidate)
    h' = (1 - z) c + z h

x already holds the input's part of the gates. Only the candidate has a recurrent bias. This is flax's GRUCell (and torch's,
with two biases at 0). `gru` has first derivatives only, which is all that LOQA needs, at about half the cost of the graph
that autograd would build: the gradient of W is one matmul over all steps.

Paper   Cho et al. 2014, https://arxiv.org/abs/1406.1078
Shapes  T steps, K parameter sets, n games a set, H units; gates in the order r, z, candidate.
"""

from typing import Any

import torch
from torch import Tensor


def gru_step(x: Tensor, h: Tensor, recurrent: Tensor, bias: Tensor) -> Tensor:
    """One step.  [K, n, 3H], [K, n, H], [K, H, 3H], [K, 1, H] -> [K, n, H]."""
    size = h.shape[-1]
    from_h = torch.bmm(h, recurrent)
    gates = torch.sigmoid(x[..., : 2 * size] + from_h[..., : 2 * size])
    r, z = gates[..., :size], gates[..., size:]
    c = torch.tanh(torch.addcmul(x[..., 2 * size :], r, from_h[..., 2 * size :] + bias))
    return torch.lerp(c, h, z)


def gru(x: Tensor, recurrent: Tensor, bias: Tensor) -> Tensor:
    """All steps from h = 0.  [T, K, n, 3H], [K, H, 3H], [K, 1, H] -> [T, K, n, H]."""
    return _Gru.apply(x, recurrent, bias)


class _Gru(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, recurrent: Tensor, bias: Tensor) -> Tensor:
        steps, sets, games, width = x.shape
        size = width // 3
        recurrent = recurrent.contiguous()
        h = x.new_zeros(steps + 1, sets, games, size)
        gates, proposal, candidate = (
            x.new_empty(steps, sets, games, 2 * size),
            torch.empty_like(h[1:]),
            torch.empty_like(h[1:]),
        )
        from_h = torch.empty_like(x[0])
        for t in range(steps):
            torch.bmm(h[t], recurrent, out=from_h)
            torch.add(x[t, ..., : 2 * size], from_h[..., : 2 * size], out=gates[t]).sigmoid_()
            r, z = gates[t, ..., :size], gates[t, ..., size:]
            torch.add(from_h[..., 2 * size :], bias, out=proposal[t])
            torch.addcmul(x[t, ..., 2 * size :], r, proposal[t], out=candidate[t]).tanh_()
            torch.lerp(candidate[t], h[t], z, out=h[t + 1])
        ctx.save_for_backward(recurrent, h, gates, proposal, candidate)
        return h[1:]

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        recurrent, h, gates, proposal, candidate = ctx.saved_tensors
        steps, sets, games, size = grad.shape
        by_x = grad.new_empty(steps, sets, games, 3 * size)  # derivatives by the gates' sums
        by_h = grad.new_empty(steps, sets, games, 3 * size)  # the same, by their recurrent parts
        after = torch.zeros_like(grad[0])
        transposed = recurrent.transpose(1, 2).contiguous()
        for t in reversed(range(steps)):
            r, z = gates[t, ..., :size], gates[t, ..., size:]
            c, d = candidate[t], after + grad[t]
            dc = torch.addcmul(d, d, z, value=-1)
            dc = torch.addcmul(dc, dc, c * c, value=-1)
            dz = d * (h[t] - c)
            dr = dc * proposal[t]
            both = torch.cat((dr, dz), -1).mul_(gates[t])
            torch.addcmul(both, both, gates[t], value=-1, out=by_x[t, ..., : 2 * size])
            by_x[t, ..., 2 * size :] = dc
            by_h[t, ..., : 2 * size] = by_x[t, ..., : 2 * size]
            torch.mul(dc, r, out=by_h[t, ..., 2 * size :])
            after = torch.baddbmm(d.mul_(z), by_h[t], transposed)
        flat = [a.transpose(0, 1).reshape(sets, steps * games, -1) for a in (h[:-1], by_h)]
        return by_x, torch.bmm(flat[0].transpose(1, 2), flat[1]), flat[1][..., 2 * size :].sum(1, keepdim=True)
