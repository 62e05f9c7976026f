"""Windows over a picture as plain loops, the definition to compare with."""

import numpy as np


def windows(image, size, strides, padding):
    """Yield (row, column, window, inside) for one picture (height, width, channels).

    Outside the picture the window holds zeros and `inside` is False.
    """
    counts, starts = [], []
    for length, width, stride in zip(image.shape[:2], size, strides, strict=True):
        if padding == "valid":
            counts.append(len(range(0, length - width + 1, stride)))
            starts.append(0)
        else:
            count = len(range(0, length, stride))
            counts.append(count)
            starts.append(-(max((count - 1) * stride + width - length, 0) // 2))
    for row in range(counts[0]):
        for column in range(counts[1]):
            window = np.zeros((*size, image.shape[2]))
            inside = np.zeros(size, bool)
            for i in range(size[0]):
                for j in range(size[1]):
                    y, x = starts[0] + row * strides[0] + i, starts[1] + column * strides[1] + j
                    if 0 <= y < image.shape[0] and 0 <= x < image.shape[1]:
                        window[i, j] = image[y, x]
                        inside[i, j] = True
            yield row, column, window, inside


def slide(images, size, strides, padding, reduce):
    """Return `reduce(row, column, window, inside)` at each position of each picture."""
    results = []
    for image in images:
        places = list(windows(image, size, strides, padding))
        grid = np.stack([reduce(*place) for place in places])
        rows, columns = places[-1][0] + 1, places[-1][1] + 1
        results.append(grid.reshape(rows, columns, -1))
    return np.stack(results)
