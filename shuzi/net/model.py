"""The net's own layer, and the copy of a trained net that is saved and reads."""

import keras
from keras.layers import BatchNormalization

from shuzi.net import cluster, devices


class FusedBatchNormalization(BatchNormalization):
    """Keras's `BatchNormalization`, in training computed by one operation of TensorFlow and another backward.

    Keras 3 computes it of single ones (https://github.com/keras-team/keras-core/issues/225), which took 17 of 77 ms of a step
    on two cores; so it takes 6. The weights and what comes out are the same. In reading, on other backends, and where
    several GPUs share their statistics, it is Keras's own. By default several GPUs share them.
    """

    def __init__(self, synchronized: bool | None = None, **kwargs):
        super().__init__(synchronized=devices.replicas() > 1 if synchronized is None else synchronized, **kwargs)

    def call(self, inputs, training=None, mask=None):
        fused = training and self.trainable and not self.synchronized and keras.backend.backend() == "tensorflow"
        if not fused:
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf  # other backends do without

        outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            inputs,
            tf.convert_to_tensor(self.gamma),
            tf.convert_to_tensor(self.beta),
            epsilon=self.epsilon,
            is_training=True,
        )
        for moving, now in (self.moving_mean, mean), (self.moving_variance, variance):
            moving.assign(moving * self.momentum + now * (1 - self.momentum))
        return outputs


def for_reading(model: keras.Model) -> keras.Model:
    """A copy of the trained model to be saved and to read with: in float32, of Keras's own layers, on one device alone."""
    weights = model.get_weights()
    cluster.leave()
    devices.share_among([])

    def copied(layer):
        kind = BatchNormalization if isinstance(layer, BatchNormalization) else type(layer)
        return kind.from_config(layer.get_config() | {"dtype": "float32"})

    model = keras.models.clone_model(model, clone_function=copied)
    model.set_weights(weights)
    return model
