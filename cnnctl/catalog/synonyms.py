"""What other tools call the components of a spec: PyTorch, Keras in its older forms, textbooks.

Names are compared without letter case, underscores, hyphens and spaces, as everywhere where a name
is guessed. Nothing here is asked about a name that a spec may use.
"""

from __future__ import annotations

from cnnctl.catalog.suggest import loosen


def table(text: str) -> dict[str, list[str]]:
    """Lines of `ours = theirs theirs` as a dictionary from theirs to ours, the first line first."""
    found: dict[str, list[str]] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        ours, _, theirs = line.rpartition(" = ")
        for word in theirs.split():
            found.setdefault(loosen(word), []).append(ours)
    return found


_NAMES = {
    "layer": """
        Activation: {activation: gelu} = GELU
        Activation: {activation: hard_sigmoid} = Hardsigmoid
        Activation: {activation: hard_silu} = Hardswish
        Activation: {activation: log_sigmoid} = LogSigmoid
        Activation: {activation: log_softmax} = LogSoftmax
        Activation: {activation: mish} = Mish
        Activation: {activation: relu6} = ReLU6
        Activation: {activation: selu} = SELU
        Activation: {activation: sigmoid} = Sigmoid
        Activation: {activation: silu} = SiLU Swish
        Activation: {activation: softplus} = Softplus
        Activation: {activation: tanh} = Tanh
        AdaptiveAveragePooling1D = AdaptiveAvgPool1d
        AdaptiveAveragePooling2D = AdaptiveAvgPool2d AdaptiveAvgPool
        AdaptiveAveragePooling3D = AdaptiveAvgPool3d
        AdaptiveMaxPooling1D = AdaptiveMaxPool1d
        AdaptiveMaxPooling2D = AdaptiveMaxPool2d AdaptiveMaxPool
        AdaptiveMaxPooling3D = AdaptiveMaxPool3d
        Add = Sum Addition Merge
        AveragePooling2D = AvgPool AvgPooling AveragePool AveragePooling MeanPool
        BatchNormalization = BatchNorm BatchNorm1d BatchNorm2d BatchNorm3d BN SyncBatchNorm
        Concatenate = Concat Cat
        Conv1DTranspose = ConvTranspose1d Deconv1D Deconvolution1D TransposedConv1D
        Conv2D = Conv Convolution Convolutional ConvLayer
        Conv2DTranspose = ConvTranspose2d Deconv Deconv2D Deconvolution Deconvolution2D
        Conv2DTranspose = ConvTranspose TransposedConv TransposedConv2D
        Conv3DTranspose = ConvTranspose3d Deconv3D Deconvolution3D TransposedConv3D
        Dense = Linear FC FullyConnected FullyConnectedLayer InnerProduct LazyLinear
        Flatten = View
        GRU = CuDNNGRU
        GlobalAveragePooling2D = GAP GlobalAveragePool GlobalAveragePooling GlobalAvgPool
        GlobalAveragePooling2D = GlobalPooling GlobalPool
        GlobalMaxPooling2D = GlobalMaxPool GlobalMaxPooling
        GroupNormalization = GroupNorm
        GroupNormalization: {groups: -1} = InstanceNorm InstanceNorm1d InstanceNorm2d
        GroupNormalization: {groups: -1} = InstanceNorm3d InstanceNormalization
        LSTM = CuDNNLSTM
        LayerNormalization = LayerNorm
        LocallyConnected2D = LocallyConnected
        LpPooling2D = LPPool2d L2Pooling L2Pooling2D
        MaxPooling1D = MaxPool1d
        MaxPooling2D = MaxPool2d MaxPool MaxPooling Pool Pooling Pool2D Pooling2D
        MaxPooling3D = MaxPool3d
        RMSNormalization = RMSNorm
        Reshape = Unflatten
        Residual = BasicBlock Bottleneck ResBlock ResidualBlock
        SpatialDropout1D = Dropout1d
        SpatialDropout2D = Dropout2d
        SpatialDropout3D = Dropout3d
        UpSampling2D = Upsample UpsamplingNearest2d UpsamplingBilinear2d UpSampling
        ZeroPadding1D = ZeroPad1d
        ZeroPadding2D = ZeroPad2d Pad ConstantPad2d ZeroPadding
        ZeroPadding3D = ZeroPad3d
    """,
    "optimizer": """
        SGD = GradientDescent GradientDescentOptimizer
        {SGD: {momentum: 0.9, nesterov: true}} = Nesterov NAG
        {SGD: {momentum: 0.9}} = Momentum MomentumOptimizer
    """,
    "loss": """
        binary_crossentropy = BCELoss logloss
        cosine_similarity = CosineEmbeddingLoss
        ctc = CTCLoss
        huber = SmoothL1Loss SmoothL1 HuberLoss
        kl_divergence = KLDivLoss KL
        mean_absolute_error = L1Loss L1
        mean_squared_error = MSELoss L2 L2Loss quadratic
        poisson = PoissonNLLLoss
        sparse_categorical_crossentropy = CrossEntropyLoss NLLLoss nll xent sparse
        sparse_categorical_crossentropy = softmax_cross_entropy
        {BinaryCrossentropy: {from_logits: true}} = BCEWithLogitsLoss BCEWithLogits
    """,
    "metric": """
        accuracy = accuracy_score correct
        auc = roc roc_auc AUROC
        f1_score = f1
        mae = L1 L1Loss
        mse = L2 L2Loss
        {SparseTopKCategoricalAccuracy: {k: 5}} = top5 top5_accuracy
    """,
    "activation": """
        leaky_relu = lrelu
        linear = identity
        sigmoid = logistic
    """,
    "initializer": """
        glorot_normal = xavier_normal xavier_normal_
        glorot_uniform = xavier xavier_uniform xavier_uniform_ glorot
        he_normal = he kaiming kaiming_normal kaiming_normal_ msra
        he_uniform = kaiming_uniform kaiming_uniform_
        lecun_normal = lecun
        random_normal = gaussian
        truncated_normal = trunc_normal trunc_normal_
    """,
    "regularizer": """
        {L1: {l1: 0.01}} = lasso
        {L2: {l2: 0.01}} = ridge weight_decay
    """,
    "schedule": """
        CosineDecay = cosine CosineAnnealingLR CosineAnnealing
        CosineDecayRestarts = CosineAnnealingWarmRestarts
        ExponentialDecay = exponential ExponentialLR step StepLR
        PiecewiseConstantDecay = MultiStepLR piecewise
        PolynomialDecay = LinearLR linear polynomial
    """,
    "rate_schedule": """
        cosine = CosineAnnealingLR CosineAnnealing CosineDecay
        exponential = ExponentialDecay ExponentialLR
        one_cycle = OneCycleLR
        step = StepLR StepDecay
        warm_up = LinearWarmup
    """,
    "callback": """
        ModelCheckpoint = Checkpoint SaveBest
        {LearningRateScheduler: {schedule: …}} = LRScheduler LambdaLR StepLR MultiStepLR OneCycleLR
        {LearningRateScheduler: {schedule: …}} = ExponentialLR CosineAnnealingLR
    """,
    "dataset": """
        fashion_mnist = fmnist
        image_folder = image_dataset_from_directory flow_from_directory folder directory images
    """,
}

NAMES = {kind: table(text) for kind, text in _NAMES.items()}
"""By kind: another tool's name for a component → what a spec has for it."""


def counterpart(kind: str, name: str) -> str | None:
    """What a spec has for another tool's component, or None if the name is not known."""
    found = NAMES.get(kind, {}).get(loosen(name))
    return found[0] if found else None
