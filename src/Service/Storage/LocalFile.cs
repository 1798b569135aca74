namespace Condense.Service.Storage;

/// <summary>A file of the store on this machine; it stays there until it is disposed.</summary>
/// <param name="path">Where it lies. Not to be changed.</param>
/// <param name="release">Called once.</param>
internal sealed class LocalFile(string path, Action? release = null) : IDisposable
{
    private Action? _release = release;

    /// <summary>Where it lies.</summary>
    public string Path => path;

    /// <inheritdoc/>
    public void Dispose() => Interlocked.Exchange(ref _release, null)?.Invoke();
}
