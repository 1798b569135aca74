using Condense.Models.Formats.PyTorch.Pickle;
using Condense.Models.Tensors;

namespace Condense.Models.Formats.PyTorch;

/// <summary>Checks a tensor against its storage and makes it readable.</summary>
internal static class TensorView
{
    /// <summary>Opens a tensor. Reads none of it.</summary>
    /// <param name="view">What the pickle says of it.</param>
    /// <param name="name">Its name.</param>
    /// <exception cref="ModelFormatException">Its shape, strides or type are broken, or it passes its storage.</exception>
    public static Tensor Open(PickledTensor view, string name)
    {
        if (view.Type.DType is not { } dtype)
        {
            throw new ModelFormatException(
                ModelFormatError.UnknownDType, $"'{PickleRefusals.Shorten(name)}' is of type torch.{view.Type.Name}, which is not read. Convert it first.", view.Offset, name);
        }

        var shape = ShapeOf(view, name);
        Check(view, shape, name);
        var source = view.Storage.Root.Data
            ?? throw new InvalidOperationException($"The storage '{view.Storage.Root.Key}' was mentioned, but not looked for.");
        if (shape.ElementCount == 0)
        {
            return new Tensor(name, dtype, shape, new SliceTensorData(source, 0, 0));
        }

        long byteLength = shape.ElementCount * view.Type.Bytes;
        if (StridedTensorData.IsContiguous(view.Sizes.AsSpan(), view.Strides.AsSpan()))
        {
            return new Tensor(name, dtype, shape, new SliceTensorData(source, view.Storage.Start + (view.First * view.Type.Bytes), byteLength));
        }

        var part = new SliceTensorData(source, view.Storage.Start, view.Storage.ByteLength);
        return new Tensor(name, dtype, shape, new StridedTensorData(part, view.Type.Bytes, view.First, view.Sizes.AsSpan(), view.Strides.AsSpan()));
    }

    private static TensorShape ShapeOf(PickledTensor view, string name)
    {
        if (view.Sizes.Any(size => size < 0) || view.Strides.Any(stride => stride < 0) || view.First < 0)
        {
            throw new ModelFormatException(
                ModelFormatError.TensorInvalidInfo, $"'{PickleRefusals.Shorten(name)}' has a negative size, stride or beginning.", view.Offset, name);
        }

        try
        {
            var shape = new TensorShape(view.Sizes.AsSpan());
            _ = checked(shape.ElementCount * view.Type.Bytes);
            return shape;
        }
        catch (OverflowException exception)
        {
            throw new ModelFormatException(
                ModelFormatError.ValidationOverflow,
                $"'{PickleRefusals.Shorten(name)}' of shape {string.Join('×', view.Sizes)} has more bytes than can be counted.",
                view.Offset,
                name,
                exception);
        }
    }

    // The last element is the furthest one, since no stride is negative.
    private static void Check(PickledTensor view, TensorShape shape, string name)
    {
        if (shape.ElementCount == 0)
        {
            return;
        }

        Int128 last = view.First;
        for (int axis = 0; axis < view.Sizes.Length; axis++)
        {
            last += (Int128)(view.Sizes[axis] - 1) * view.Strides[axis];
        }

        long elements = view.Storage.ByteLength / view.Type.Bytes;
        if (last >= elements)
        {
            throw new ModelFormatException(
                ModelFormatError.InvalidOffset,
                $"'{PickleRefusals.Shorten(name)}' reaches element {last} of the storage '{PickleRefusals.Shorten(view.Storage.Root.Key)}', which has {elements} elements of {view.Type.Bytes} bytes.",
                view.Offset,
                name);
        }
    }
}
