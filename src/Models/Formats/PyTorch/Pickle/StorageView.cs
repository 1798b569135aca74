namespace Condense.Models.Formats.PyTorch.Pickle;

/// <summary>A storage, or a part of one as old versions of PyTorch kept them.</summary>
/// <param name="Root">The whole storage.</param>
/// <param name="Type">What it holds.</param>
/// <param name="Start">The part's first byte.</param>
/// <param name="ByteLength">The part's bytes.</param>
internal sealed record StorageView(PickledStorage Root, TorchType Type, long Start, long ByteLength);
