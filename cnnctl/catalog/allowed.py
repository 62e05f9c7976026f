"""Which of Keras's names a spec may use, which it may not, and why.

The lists are explicit: a class that a later Keras adds is refused by the generator's check until
somebody has put it into one list or the other.
"""

from __future__ import annotations

MODULES = {
    "layer": "layers",
    "cell": "layers",
    "optimizer": "optimizers",
    "schedule": "optimizers.schedules",
    "loss": "losses",
    "metric": "metrics",
    "initializer": "initializers",
    "regularizer": "regularizers",
    "constraint": "constraints",
    "activation": "activations",
    "callback": "callbacks",
}
"""The public Keras module in which the names of each kind live."""

_ALLOWED = {
    "layer": """
        Activation ActivityRegularization AdaptiveAveragePooling1D AdaptiveAveragePooling2D
        AdaptiveAveragePooling3D AdaptiveMaxPooling1D AdaptiveMaxPooling2D AdaptiveMaxPooling3D
        Add AdditiveAttention AlphaDropout Attention AugMix AutoContrast Average
        AveragePooling1D AveragePooling2D AveragePooling3D BatchNormalization Bidirectional
        CenterCrop Concatenate ContrastLimitedAdaptiveHistogramEqualization Conv1D
        Conv1DTranspose Conv2D Conv2DTranspose Conv3D Conv3DTranspose ConvLSTM1D ConvLSTM2D
        ConvLSTM3D Cropping1D Cropping2D Cropping3D Dense DepthwiseConv1D DepthwiseConv2D Dot
        Dropout ELU EinsumDense Embedding Flatten GRU GaussianDropout
        GaussianNoise GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D
        GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D GroupNormalization
        GroupQueryAttention Identity LSTM LayerNormalization LeakyReLU Masking MaxPooling1D
        MaxPooling2D MaxPooling3D Maximum MelSpectrogram Minimum MultiHeadAttention Multiply
        Normalization PReLU Permute RMSNormalization RNN RandAugment RandomBrightness
        RandomColorDegeneration RandomColorJitter RandomContrast RandomCrop
        RandomElasticTransform RandomErasing RandomFlip RandomGaussianBlur RandomGrayscale
        RandomHue RandomInvert RandomPerspective RandomPosterization RandomRotation
        RandomSaturation RandomSharpness RandomShear RandomTranslation RandomZoom ReLU
        RepeatVector Rescaling Reshape Resizing ReversibleEmbedding STFTSpectrogram
        SeparableConv1D SeparableConv2D SimpleRNN Softmax Solarization SpatialDropout1D
        SpatialDropout2D SpatialDropout3D SpectralNormalization Subtract TimeDistributed
        UnitNormalization UpSampling1D UpSampling2D UpSampling3D ZeroPadding1D ZeroPadding2D
        ZeroPadding3D
        """,
    "cell": "GRUCell LSTMCell SimpleRNNCell StackedRNNCells",
    "optimizer": """
        Adadelta Adafactor Adagrad Adam AdamW Adamax Ftrl Lamb Lion Muon Nadam RMSprop SGD
        ScheduleFreeAdamW
        """,
    "schedule": """
        CosineDecay CosineDecayRestarts ExponentialDecay InverseTimeDecay
        PiecewiseConstantDecay PolynomialDecay
        """,
    "loss": """
        BinaryCrossentropy BinaryFocalCrossentropy CategoricalCrossentropy
        CategoricalFocalCrossentropy CategoricalGeneralizedCrossEntropy CategoricalHinge Circle
        CosineSimilarity Dice Hinge Huber KLDivergence LogCosh MeanAbsoluteError
        MeanAbsolutePercentageError MeanSquaredError MeanSquaredLogarithmicError Poisson
        SparseCategoricalCrossentropy SquaredHinge Tversky
        """,
    "metric": """
        AUC Accuracy BinaryAccuracy BinaryCrossentropy BinaryIoU CategoricalAccuracy
        CategoricalCrossentropy CategoricalHinge ConcordanceCorrelation CosineSimilarity F1Score
        FBetaScore FalseNegatives FalsePositives Hinge IoU KLDivergence LogCoshError
        MeanAbsoluteError MeanAbsolutePercentageError MeanIoU MeanSquaredError
        MeanSquaredLogarithmicError OneHotIoU OneHotMeanIoU PearsonCorrelation Poisson Precision
        PrecisionAtRecall R2Score Recall RecallAtPrecision RootMeanSquaredError
        SensitivityAtSpecificity SparseCategoricalAccuracy SparseCategoricalCrossentropy
        SparseTopKCategoricalAccuracy SpecificityAtSensitivity SquaredHinge
        TopKCategoricalAccuracy TrueNegatives TruePositives
        """,
    "initializer": """
        Constant GlorotNormal GlorotUniform HeNormal HeUniform Identity LecunNormal LecunUniform
        Ones Orthogonal RandomNormal RandomUniform STFT TruncatedNormal VarianceScaling Zeros
        """,
    "regularizer": "L1 L1L2 L2 OrthogonalRegularizer",
    "constraint": "MaxNorm MinMaxNorm NonNeg UnitNorm",
    "activation": """
        celu elu exponential gelu hard_shrink hard_sigmoid hard_silu hard_tanh leaky_relu linear
        log_sigmoid log_softmax mish relu relu6 selu sigmoid silu soft_shrink softmax softplus
        softsign sparse_plus sparse_sigmoid sparsemax squareplus tanh tanh_shrink threshold
        """,
    "callback": """
        CSVLogger EarlyStopping LearningRateScheduler ModelCheckpoint ReduceLROnPlateau
        SwapEMAWeights TensorBoard TerminateOnNaN
        """,
}

ALLOWED = {kind: tuple(names.split()) for kind, names in _ALLOWED.items()}
"""Keras's names that a spec may use, by kind."""


def _because(reason: str, names: str) -> dict[str, str]:
    """Return the same reason for several names, each put where the reason has braces."""
    return {name: reason.format(name) for name in names.split()}


_BASE_CLASS = "{} is a base class, from which others derive"

REFUSED: dict[str, dict[str, str]] = {
    "layer": {
        **_because(
            "{} runs code from outside the spec; write a layer in a plug-in instead",
            "FlaxLayer JaxLayer Lambda TFSMLayer TorchModuleWrapper",
        ),
        **_because(
            "{} is a table or a rule for text and categories, no layer of a network; "
            "prepare the data before training",
            """
            CategoryEncoding Discretization HashedCrossing Hashing IntegerLookup StringLookup
            TextVectorization
            """,
        ),
        **_because(
            "{} changes labels or boxes with the pictures, which a layer of a model cannot do",
            "CutMix MaxNumBoundingBoxes MixUp",
        ),
        **_because("{0} is a cell; write RNN: {{cell: {0}}}", _ALLOWED["cell"]),
        **_because(_BASE_CLASS, "Layer Wrapper"),
        "Equalization": (
            "Equalization returns its input itself in Keras 3.15, and no model can be built with it"
        ),
        "Input": "the shape of the input is written as model.input_shape",
        "InputLayer": "the shape of the input is written as model.input_shape",
        "InputSpec": "InputSpec is a rule for writing layers, no layer itself",
        "Pipeline": "Pipeline is for tf.data; list its layers one after another instead",
    },
    "optimizer": {
        "LossScaleOptimizer": (
            "Keras adds LossScaleOptimizer itself where the dtype policy is mixed_float16"
        ),
        "MultiOptimizer": "MultiOptimizer needs a map of variables, which a spec cannot write",
        "Optimizer": _BASE_CLASS.format("Optimizer"),
        "OptimizerMap": "OptimizerMap needs a map of variables, which a spec cannot write",
    },
    "schedule": {"LearningRateSchedule": _BASE_CLASS.format("LearningRateSchedule")},
    "loss": {
        "CTC": (
            "CTC compares two sequences, and a data set here has one label, or one row of numbers, "
            "per image; use sparse_categorical_crossentropy"
        ),
        "Loss": _BASE_CLASS.format("Loss"),
    },
    "metric": {
        "Mean": "Mean averages plain values, it does not compare labels with predictions",
        "MeanMetricWrapper": "MeanMetricWrapper runs a function from outside the spec",
        "Metric": _BASE_CLASS.format("Metric"),
        "Sum": "Sum adds plain values, it does not compare labels with predictions",
    },
    "initializer": {"Initializer": _BASE_CLASS.format("Initializer")},
    "regularizer": {"Regularizer": _BASE_CLASS.format("Regularizer")},
    "constraint": {"Constraint": _BASE_CLASS.format("Constraint")},
    "activation": {"glu": "glu halves the channels, and an activation must keep the shape"},
    "callback": {
        "BackupAndRestore": "cnnctl keeps whole checkpoints in the run folder itself",
        "Callback": _BASE_CLASS.format("Callback"),
        "CallbackList": "cnnctl makes the CallbackList itself",
        "History": "cnnctl always keeps the history, in metrics.jsonl of the run folder",
        "LambdaCallback": "LambdaCallback runs code from outside the spec",
        "OrbaxCheckpoint": "cnnctl keeps whole checkpoints in the run folder itself",
        "ProgbarLogger": "cnnctl shows the progress itself",
        "RemoteMonitor": "RemoteMonitor sends data to a URL; cnnctl writes to the run folder only",
    },
}
"""Names that Keras has and a spec may not use, each with the reason, by kind."""

_MEANS = ("mae", "MAE", "mape", "MAPE", "mse", "MSE", "msle", "MSLE")

ALIASES = {
    "loss": ("bce", "BCE", "kld", "KLD", *_MEANS),
    "metric": ("bce", "BCE", *_MEANS),
    "initializer": ("normal", "one", "uniform", "zero"),
    "regularizer": ("l1l2",),
}
"""Short identifiers that Keras's `get` knows but no module exports; the generator checks each."""

RESOLVED_BY_COMPILE = {"loss": ("crossentropy", "ce"), "metric": ("accuracy", "acc")}
"""Strings for which `compile` itself chooses the class, by the labels and the model's output."""

LIST_INPUTS = frozenset(
    {
        "Add",
        "AdditiveAttention",
        "Attention",
        "Average",
        "Concatenate",
        "Dot",
        "Maximum",
        "Minimum",
        "Multiply",
        "Subtract",
    }
)
"""Layers that are called with one list of tensors."""

POSITIONAL_INPUTS = frozenset({"GroupQueryAttention", "MultiHeadAttention"})
"""Layers that are called with several tensors: `layer(query, value)`."""
