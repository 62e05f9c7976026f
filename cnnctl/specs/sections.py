"""The sections of a spec, typed: the frame around the components.

Strict: no unknown key, no text for a number, no `true` for 1, no NaN. A field whose annotation
carries a `Kind` holds components of that kind of the catalog.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler
from pydantic_core import CoreSchema

from cnnctl.specs.components import Component


@dataclass(frozen=True)
class Kind:
    """Marks a field of components, and says of which kind of the catalog."""

    name: str

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """A mark that `json_schema` turns into a reference; pydantic refuses foreign ones."""
        return {"component": self.name}


def json_schema() -> dict[str, Any]:
    """JSON Schema of a spec's frame, with components as `{"$ref": "#/$defs/<kind>"}`."""
    return cast("dict[str, Any]", _referring(Document.model_json_schema()))


def _referring(schema: Any) -> Any:
    if isinstance(schema, dict):
        others = {key: _referring(value) for key, value in schema.items() if key != "component"}
        if "component" in schema:
            return {"$ref": f"#/$defs/{schema['component']}", **others}
        return others
    return [_referring(each) for each in schema] if isinstance(schema, list) else schema


NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
NAME_LENGTH = 80
NAME_TAKES = f"letters, digits, `_`, `.` and `-`, at most {NAME_LENGTH}"
"""What a spec's name may be: it becomes a folder's."""

Layer = Annotated[Component, Kind("layer")]
Positive = Annotated[int, Field(ge=1)]


class Section(BaseModel):
    """What the sections have in common."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        allow_inf_nan=False,
        frozen=True,
        arbitrary_types_allowed=True,
        use_attribute_docstrings=True,
    )


class Data(Section):
    """`data`: the images, and how they reach the network."""

    dataset: Annotated[Component, Kind("dataset")]
    """The data set: mnist, cifar10, {image_folder: {path: …}}, …"""
    normalize: Literal["unit", "signed", "standard", "none"] = "unit"
    """Pixels to [0, 1], to [-1, 1], to zero mean and unit variance per channel, or as they are."""
    label_mode: Literal["int", "categorical", "float"] = "int"
    """Labels as class numbers, one-hot, or targets that are numbers themselves."""
    validation: Annotated[int, Field(ge=0)] | Annotated[float, Field(gt=0, lt=1)] = 0
    """How many training images, or which fraction of them, are held out."""
    validation_from: Literal["end", "start"] = "end"
    """Which images are held out: the last ones (Keras's rule) or the first."""


class Model(Section):
    """`model`: the network."""

    input_shape: Annotated[list[Positive], Field(min_length=1, max_length=4)] | None = None
    """Shape of one image without the batch: [height, width, channels]; the data's by default."""
    layers: Annotated[list[Layer], Field(min_length=1)]
    """The layers, each fed by the one before it unless it names its inputs."""


class Compile(Section):
    """`compile`: what is minimized, by what, and what is watched (as in `keras.Model.compile`)."""

    optimizer: Annotated[Component, Kind("optimizer")]
    """The optimizer: adam, {SGD: {learning_rate: 0.01, momentum: 0.9}}, …"""
    loss: Annotated[Component, Kind("loss")]
    """The loss: sparse_categorical_crossentropy, categorical_crossentropy, …"""
    metrics: list[Annotated[Component, Kind("metric")]] = Field(default_factory=list)
    """What is reported beside the loss."""
    steps_per_execution: Positive | Literal["auto"] = "auto"
    """Steps in one call of the compiled step; `auto` chooses by the length of a step."""
    jit_compile: bool | Literal["auto"] = "auto"
    """Whether XLA compiles the step (as in Keras)."""
    precision: Literal["float32", "mixed_bfloat16"] = "float32"
    """In what products are computed; sums and weights are float32."""
    parts: Positive | Literal["auto"] = "auto"
    """In how many parts a batch is computed side by side; `auto` by threads and layers."""
    threads: Positive | Literal["auto"] = "auto"
    """CPU threads that compute; `auto` takes the processors that there are."""
    fused: bool = True
    """Whether the optimizer updates by TensorFlow's kernels, faster than Keras's operations."""


class Fit(Section):
    """`fit`: how long and how it is trained (as in `keras.Model.fit`)."""

    batch_size: Positive = 32
    """Images per step."""
    epochs: Positive = 1
    """Passes over the training images."""
    shuffle: bool = True
    """Whether the images are shuffled anew for every epoch."""
    keep: Annotated[int, Field(ge=2)] | Literal["all"] = 2
    """How many of the newest checkpoints are kept beside the best: 2 or more, or `all`."""
    distribute: Literal["none", "mirrored", "multi_worker"] = "none"
    """Whether every GPU of the machine computes a part of each batch (`mirrored`), or several
    processes do, on one machine or many (`multi_worker`)."""
    callbacks: list[Annotated[Component, Kind("callback")]] = Field(default_factory=list)
    """Keras's callbacks."""


class Document(Section):
    """A spec."""

    name: Annotated[
        str,
        Field(pattern=NAME, max_length=NAME_LENGTH, json_schema_extra={"takes": NAME_TAKES}),
    ]
    """Names the run folder: runs/NAME/001; the file's name by default."""
    description: str | None = None
    """One line for people."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """Fixes weights, shuffling, dropout and augmentation."""
    deterministic: bool = True
    """Whether TensorFlow may only use operations that give the same bits every time."""
    data: Data | None = None
    """The images; needed for training and evaluation."""
    model: Model
    """The network."""
    compile: Compile | None = None
    """Loss and optimizer; needed for training and evaluation."""
    fit: Fit = Field(default_factory=Fit)
    """Length and batches of a training."""


SECTION_OF = {
    key: section.__name__.lower() for section in (Fit, Data) for key in section.model_fields
}
"""Key of `data` or `fit` → its section."""
