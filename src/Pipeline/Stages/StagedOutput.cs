using Condense.Models;

namespace Condense.Pipeline.Stages;

/// <summary>A result in the making: written in a folder beside its place under its final name, then renamed into place.</summary>
internal sealed class StagedOutput : IAsyncDisposable
{
    private readonly string _target;
    private readonly string _folder;
    private IReadOnlyList<string> _written = [];

    /// <summary>Makes the folder, on the same volume as the target so that renaming is atomic.</summary>
    /// <param name="outputPath">The final path of the main file.</param>
    public StagedOutput(string outputPath)
    {
        _target = Path.GetFullPath(outputPath);
        string parent = Path.GetDirectoryName(_target)!;
        if (!Directory.Exists(parent))
        {
            throw new DirectoryNotFoundException($"There is no folder {parent} to write {Path.GetFileName(_target)} into.");
        }

        _folder = Path.Combine(parent, $".{Path.GetFileName(_target)}.condense-staging");
        if (Directory.Exists(_folder))
        {
            // Left by a run that was killed.
            Directory.Delete(_folder, recursive: true);
        }

        Directory.CreateDirectory(_folder);
        MainPath = Path.Combine(_folder, Path.GetFileName(_target));
    }

    /// <summary>Where the main file is written.</summary>
    public string MainPath { get; }

    /// <summary>Bytes of all files written.</summary>
    public long Bytes => _written.Sum(path => new FileInfo(path).Length);

    /// <summary>Says which files there are.</summary>
    public void Wrote(IReadOnlyList<string> paths) => _written = paths;

    /// <summary>Keeps the original: byte for byte when it is one file, else joined into as few files as the format allows.</summary>
    /// <param name="model">The original, or its tensors for another format.</param>
    /// <param name="input">The original's files.</param>
    /// <param name="converts">Whether the format is another: then there is nothing to keep byte for byte.</param>
    /// <param name="cancellationToken">Stops between two buffers.</param>
    public async Task CopyAsync(Model model, ModelParts input, bool converts, CancellationToken cancellationToken)
    {
        if (converts || model.UsedParts.Count > 0)
        {
            _written = await ModelWriter.WriteAsync(model, MainPath, cancellationToken);
            return;
        }

        await using var source = new FileStream(input.MainPath, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 20, FileOptions.Asynchronous | FileOptions.SequentialScan);
        await using var copy = new FileStream(MainPath, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 20, FileOptions.Asynchronous);
        await source.CopyToAsync(copy, cancellationToken);
        _written = [MainPath];
    }

    /// <summary>Renames everything into place, the main file last: whoever sees it sees a whole model.</summary>
    public void Publish()
    {
        foreach (string path in _written.Where(path => !string.Equals(path, MainPath, StringComparison.Ordinal)).Append(MainPath))
        {
            using (var handle = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite))
            {
                RandomAccess.FlushToDisk(handle);
            }

            File.Move(path, Path.Combine(Path.GetDirectoryName(_target)!, Path.GetFileName(path)), overwrite: true);
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        if (Directory.Exists(_folder))
        {
            Directory.Delete(_folder, recursive: true);
        }

        return ValueTask.CompletedTask;
    }
}
