using System.Collections.Immutable;

namespace Condense.Models.Formats.PyTorch.Pickle;

/// <summary>A tensor as the pickle describes it: a view of a storage. Not yet checked against it.</summary>
/// <param name="Storage">Where its elements are.</param>
/// <param name="Type">Their type.</param>
/// <param name="First">The first element, counted from the storage's.</param>
/// <param name="Sizes">The dimensions.</param>
/// <param name="Strides">Elements of the storage between neighbours along each dimension.</param>
/// <param name="Offset">Where it was made, in the file.</param>
internal sealed record PickledTensor(StorageView Storage, TorchType Type, long First, ImmutableArray<long> Sizes, ImmutableArray<long> Strides, long Offset);
