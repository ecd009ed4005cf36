"""Writes nn.safetensors: whole small networks in PyTorch, float64, and what default initialisation does.

    python spec/reference/nn.py

Tensors are called NETWORK/param/KEY, NETWORK/buffer/KEY (before), NETWORK/after/KEY (buffers after one training
step forward), NETWORK/grad/KEY, NETWORK/input, NETWORK/input_grad, NETWORK/target, NETWORK/output, NETWORK/loss,
NETWORK/eval (output in evaluation mode, afterwards).  The metadata has NETWORK/keys, the state_dict's keys in order,
and init, a table of what large layers look like after construction.  Labels and indices are 1-based in the file.
"""

import json
import pathlib

import torch
from safetensors.torch import save_file
from torch import nn


class AutoEncoder(nn.Module):
    def __init__(self, n, d):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, n, 3, stride=2, padding=2), nn.ReLU(),
            nn.Conv2d(n, 2 * n, 3, stride=2, padding=1), nn.ReLU(),
            nn.Conv2d(2 * n, 4 * n, 3, stride=2, padding=0), nn.ReLU(),
            nn.Flatten(), nn.Linear(36 * n, 64), nn.ReLU(), nn.Linear(64, d))
        self.decoder = nn.Sequential(
            nn.Linear(d, 64), nn.ReLU(), nn.Linear(64, 36 * n), nn.ReLU(), nn.Unflatten(1, (4 * n, 3, 3)),
            nn.ConvTranspose2d(4 * n, 2 * n, 3, stride=2), nn.ReLU(),
            nn.ConvTranspose2d(2 * n, n, 3, stride=2, padding=1, output_padding=1), nn.ReLU(),
            nn.ConvTranspose2d(n, 1, 3, stride=2, padding=1, output_padding=1), nn.Sigmoid())

    def forward(self, x):
        return self.decoder(self.encoder(x))


def normed():
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(4, 6, (3, 1), groups=2), nn.BatchNorm2d(6, momentum=0.3), nn.LeakyReLU(0.1),
        nn.AvgPool2d(2, stride=1), nn.Upsample(scale_factor=2, mode="bilinear"), nn.AdaptiveAvgPool2d(2), nn.Flatten(),
        nn.Linear(24, 5), nn.BatchNorm1d(5, affine=False), nn.ELU(), nn.Linear(5, 3))


class Text(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(11, 8, padding_idx=2)
        self.norm = nn.LayerNorm(8)
        self.blocks = nn.ModuleList([nn.Sequential(nn.Linear(8, 8), nn.GELU()), nn.Sequential(nn.Linear(8, 8), nn.SiLU())])
        self.head = nn.Linear(6 * 8, 4)

    def forward(self, index):
        x = self.norm(self.table(index))
        for block in self.blocks:
            x = x + block(x)
        return torch.log_softmax(self.head(x.flatten(1)), 1)


def record(out, metadata, name, model, x, target, criterion, labels, index=False):
    model = model.double().train()
    with torch.no_grad():
        for parameter in model.parameters():   # not too small, so that every gradient has something to show
            if parameter.dim() == 1:
                parameter.add_(0.1 * torch.randn_like(parameter))
    metadata[name + "/keys"] = json.dumps(list(model.state_dict()))
    for key, value in model.named_parameters():
        out[f"{name}/param/{key}"] = value.detach().clone()
    for key, value in model.named_buffers():
        out[f"{name}/buffer/{key}"] = value.clone()
    out[f"{name}/input"] = x + 1 if index else x.clone()
    out[f"{name}/target"] = target + 1 if labels else target.clone()
    if not index:
        x = x.requires_grad_()
    y = model(x)
    loss = criterion(y, target)
    loss.backward()
    out[f"{name}/output"], out[f"{name}/loss"] = y.detach(), loss.detach()
    if not index:
        out[f"{name}/input_grad"] = x.grad
    for key, value in model.named_parameters():
        out[f"{name}/grad/{key}"] = value.grad
    for key, value in model.named_buffers():
        out[f"{name}/after/{key}"] = value.clone()
    with torch.no_grad():
        out[f"{name}/eval"] = model.eval()(x.detach())


def initialisation():
    torch.manual_seed(3)
    layers = {
        "Linear": nn.Linear(300, 200), "Conv2d": nn.Conv2d(32, 64, (3, 5), groups=2),
        "ConvTranspose2d": nn.ConvTranspose2d(64, 32, (3, 5), groups=2), "Embedding": nn.Embedding(300, 100),
    }
    found = {}
    for name, layer in layers.items():
        for key, value in layer.named_parameters():
            found[f"{name}.{key}"] = {"largest": value.abs().max().item(), "std": value.std().item(),
                                      "mean": value.mean().item(), "shape": list(value.shape)}
    weight = torch.empty(60, 20, 3, 3)
    for name, given in (("xavier_uniform_", {"gain": 1.5}), ("xavier_normal_", {}), ("kaiming_uniform_", {"a": 0.3}),
                        ("kaiming_normal_", {"mode": "fan_out", "nonlinearity": "relu"}), ("trunc_normal_", {"std": 1.5})):
        value = getattr(nn.init, name)(weight, **given)
        found[f"init.{name}"] = {"largest": value.abs().max().item(), "std": value.std().item(),
                                 "mean": value.mean().item()}
    return found


def main():
    torch.manual_seed(7)
    out, metadata = {}, {}
    x = torch.rand(5, 1, 28, 28, dtype=torch.float64)
    record(out, metadata, "autoencoder", AutoEncoder(2, 3), x, x.detach().clone(), nn.MSELoss(), labels=False)
    weight = torch.tensor([1.0, 2.0, 0.5], dtype=torch.float64)
    record(out, metadata, "normed", normed(), torch.randn(9, 2, 12, 10, dtype=torch.float64), torch.randint(0, 3, (9,)),
           nn.CrossEntropyLoss(weight=weight, label_smoothing=0.1), labels=True)
    record(out, metadata, "text", Text(), torch.randint(0, 11, (7, 6)), torch.randint(0, 4, (7,)), nn.NLLLoss(),
           labels=True, index=True)
    metadata["init"] = json.dumps(initialisation())
    save_file({key: value.contiguous() for key, value in out.items()}, pathlib.Path(__file__).with_name("nn.safetensors"),
              metadata)


if __name__ == "__main__":
    main()
