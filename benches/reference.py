"""How long erw takes beside PyTorch, on the same weights, machine and threads, in one run.

usage: python benches/reference.py MODEL [--erw PATH] [--rounds 3] [--candidates 1,7] [--threads N] [--side 448]

MODEL is a directory as `erw model random DIR --like medium` writes it (Qwen2.5-VL's layers). Needs torch, numpy, safetensors and
transformers 4.57.0, which the published model runs on:

    pip install torch safetensors numpy transformers==4.57.0

PyTorch does what the published code does for each candidate: for each axis a prompt of its own, both pictures seen anew, the
language model over all of it with its own attention (sdpa), then the head. Its sequences have as many tokens and patches as
`erw bench speed` says that erw's have ("by itself"); which tokens they are makes no difference to the time. Decoding and resizing
the pictures, which erw's figures contain, is left out on PyTorch's side. Both take turns in every round; medians are printed,
and ratios of the same round's times. The head is applied to the reward token alone, the fastest way to write it in PyTorch.
"""
import argparse
import json
import os
import statistics
import subprocess
import time


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--erw", default="target/release/erw")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--candidates", default="1,7", type=lambda text: [int(n) for n in text.split(",")])
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--side", type=int, default=448)
    return parser.parse_args()


def erw(args, candidates):
    """One round of `erw bench speed` with so many candidates: the report's row."""
    command = [args.erw, "bench", "speed", "--model", args.model, "--candidates", str(candidates)]
    command += ["--rounds", "1", "--side", str(args.side), "--device", "cpu", "--json"]
    environment = {**os.environ, "RAYON_NUM_THREADS": str(args.threads)}
    report = json.loads(subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE).stdout)
    return report["rows"][0]


def load(path):
    """The backbone and one head's first layers, in f32."""
    import torch
    from safetensors.torch import load_file
    from transformers import AutoConfig, Qwen2_5_VLModel

    config = AutoConfig.from_pretrained(path)
    config._attn_implementation = "sdpa"
    model = Qwen2_5_VLModel._from_config(config, dtype=torch.float32).eval()
    weights = {name: tensor.float() for name, tensor in load_file(os.path.join(path, "model.safetensors")).items()}
    backbone = {name.removeprefix("model."): tensor for name, tensor in weights.items() if name.startswith("model.")}
    missing, unexpected = model.load_state_dict(backbone, strict=False)
    assert not missing and not unexpected, (missing, unexpected)
    width = config.text_config.hidden_size
    first = next(tensor for name, tensor in weights.items() if name.startswith("rm_head") and tensor.shape[-1] == width)
    return config, model, first


class Published:
    """One candidate by the published path, as a call."""

    def __init__(self, path, tokens, patches):
        import torch

        self.torch, (self.config, self.model, self.head) = torch, load(path)
        generator = torch.Generator().manual_seed(1)
        vision = self.config.vision_config
        side = round(patches**0.5)
        assert side * side == patches, f"{patches} patches are no square"
        numbers = vision.in_channels * vision.temporal_patch_size * vision.patch_size**2
        self.pixels = torch.randn(2 * patches, numbers, generator=generator)
        self.grid = torch.tensor([[1, side, side]] * 2)
        picture = [self.config.vision_start_token_id] + [self.config.image_token_id] * (patches // vision.spatial_merge_size**2)
        text = tokens - 2 * len(picture)
        assert text > 0, "fewer tokens than the pictures alone have"
        words = torch.randint(0, 256, (text,), generator=generator).tolist()
        self.ids = torch.tensor([words[: text // 2] + 2 * picture + words[text // 2 :]])
        # The published code's positions are 0, 1, 2 … on all three axes.
        self.positions = torch.arange(tokens).expand(3, 1, -1)

    def __call__(self):
        with self.torch.inference_mode():
            for _axis in range(2):
                states = self.model(
                    input_ids=self.ids,
                    pixel_values=self.pixels,
                    image_grid_thw=self.grid,
                    position_ids=self.positions,
                    use_cache=False,
                ).last_hidden_state
                self.torch.nn.functional.linear(states[:, -1], self.head)


def main():
    args = arguments()
    import torch

    torch.set_num_threads(args.threads)
    first = erw(args, 1)
    tokens = round(first["plain"]["rows"] / 2)
    patches = (args.side // 14) ** 2
    published = Published(args.model, tokens, patches)
    print(f"torch {torch.__version__}, {args.threads} threads; {tokens} tokens a prompt, {patches} patches a picture", flush=True)
    published()
    seconds = {"torch": []}
    ratios = {}
    for _round in range(args.rounds):
        for candidates in args.candidates:
            start = time.perf_counter()
            published()
            torch_ms = 1e3 * (time.perf_counter() - start)
            seconds["torch"].append(torch_ms)
            row = erw(args, candidates)
            for way in ("plain", "tree"):
                name = f"erw, {'one pass' if way == 'tree' else 'by itself'}, {candidates} of a source"
                seconds.setdefault(name, []).append(row[way]["milliseconds"])
                ratios.setdefault(name, []).append(row[way]["milliseconds"] / torch_ms)
            print(f"torch {torch_ms:.0f}, erw {row['plain']['milliseconds']:.0f} and {row['tree']['milliseconds']:.0f} ms", flush=True)
    print("\nms a candidate, and of PyTorch's time (medians)")
    for name, times in seconds.items():
        ratio = f"{statistics.median(ratios[name]):.2f}" if name in ratios else ""
        print(f"{name:34} {statistics.median(times):9.0f} {ratio:>6}")


if __name__ == "__main__":
    main()
