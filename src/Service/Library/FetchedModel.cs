using Condense.Models;
using Condense.Service.Storage;

namespace Condense.Service.Library;

/// <summary>A model's files on this machine, until it is disposed.</summary>
/// <param name="parts">The files as readers take them.</param>
/// <param name="files">What keeps them there.</param>
internal sealed class FetchedModel(ModelParts parts, IReadOnlyList<LocalFile> files) : IDisposable
{
    /// <summary>The files as readers take them.</summary>
    public ModelParts Parts => parts;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var file in files)
        {
            file.Dispose();
        }
    }
}
