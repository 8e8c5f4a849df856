"""The net's own layer, beside Keras's; and the copy that reads."""

import numpy as np

from shuzi.net.devices import quiet_stderr

with quiet_stderr():
    import keras

    from shuzi.net.model import FusedBatchNormalization, for_reading


def test_fused_normalization_trains_as_keras_own(policy):
    import tensorflow as tf

    pictures = np.random.default_rng(0).normal(2, 3, (20, 6, 6, 4)).astype("float32")
    results = []
    for kind in keras.layers.BatchNormalization, FusedBatchNormalization:
        layer = kind(momentum=0.9)
        layer.build(pictures.shape)
        layer.gamma.assign([1.0, 2.0, 0.5, -1.0])
        with tf.GradientTape() as tape:
            inputs = tf.constant(pictures)
            tape.watch(inputs)
            outputs = layer(inputs, training=True)
            loss = tf.reduce_sum(outputs**3)
        variables = [layer.gamma.value, layer.beta.value]
        gradients = tape.gradient(loss, [inputs, *variables])
        moving = [layer.moving_mean, layer.moving_variance]
        results.append([outputs, layer(pictures), *gradients, *moving])
    for own, fused in zip(*results):
        own, fused = map(keras.ops.convert_to_numpy, (own, fused))
        assert np.abs(own).max() > 0.1  # it did something
        # the variance that is kept is that of a sample: 1/720 more
        assert np.allclose(own, fused, rtol=3e-3, atol=3e-3 * np.abs(own).max())


def test_the_model_that_reads_is_of_keras_own_layers_and_in_float32(policy, tmp_path):
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(4, 3, use_bias=False),
            FusedBatchNormalization(),
            keras.layers.ReLU(),
        ]
    )
    pictures = np.random.default_rng(0).normal(size=(5, 8, 8, 1)).astype("float32")
    model(pictures, training=True)
    copy = for_reading(model)
    assert [type(layer) for layer in copy.layers] == [
        getattr(keras.layers, type(layer).__name__) for layer in copy.layers
    ]
    assert {layer.dtype_policy.name for layer in copy.layers} == {"float32"}
    for own, copied in zip(model.get_weights(), copy.get_weights()):
        assert np.array_equal(own, copied)
    assert np.allclose(model(pictures), copy(pictures), atol=0.1) and np.ptp(copy(pictures)) > 0.3
