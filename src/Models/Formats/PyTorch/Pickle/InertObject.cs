namespace Condense.Models.Formats.PyTorch.Pickle;

/// <summary>An object that holds no tensor and does nothing: a device, a layout, a single NumPy number. Only its kind is kept.</summary>
/// <param name="Kind">What it is, for messages.</param>
internal sealed record InertObject(string Kind);
