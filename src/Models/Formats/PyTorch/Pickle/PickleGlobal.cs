namespace Condense.Models.Formats.PyTorch.Pickle;

/// <summary>A name that a pickle may use, and what it stands for here. Nothing is looked up or called by it.</summary>
/// <param name="Module">The module.</param>
/// <param name="Name">The name in the module.</param>
/// <param name="Meaning">What it stands for.</param>
/// <param name="Type">The type of elements, for storages and types.</param>
internal sealed record PickleGlobal(string Module, string Name, GlobalMeaning Meaning, TorchType? Type = null)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Module}.{Name}";
}
