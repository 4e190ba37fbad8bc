"""Words of overrides and config files that have a meaning, or that something could stumble over."""

from __future__ import annotations

KEYS = (
    *("seed", "head.hidden", "head", "text", "text.name", "loss", "loss._target_", "data.root"),
    *("trainer", "trainer.epochs", "tracking.uri", "output_dir", "store", "hydra", "hydra.run.dir"),
    *("hydra.launcher", "hydra/launcher", "hydra.searchpath", "allow_env", "experiment", "study"),
    *("hydra.sweeper.params", "hydra.job.env_set", "hydra.overrides", "defaults", "x", "a.b.c", ""),
)
VALUES = (
    *("", "1", "-1", "1e999", "nan", "null", "true", "???", "outputs", "tfidf,minilm", "[1,2]"),
    *("{a:1}", "${seed}", "${oc.env:HOME}", "${oc.env:X}", "${now:%S}", "${x}", "${", "}", "\\"),
    *("os.system", "torch.load", "choice(1,2)", "range(3)", "glob(*)", "interval(0,1)", "'", '"'),
    *("..", "/etc", "sqlite:///x", "http://a:b@c", "\n", "\0", "\x1b[0m", "é", "10" * 30, "~", "@"),
)
