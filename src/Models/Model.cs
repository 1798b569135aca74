using System.Collections.Immutable;
using Condense.Models.Graph;
using Condense.Models.Tensors;

namespace Condense.Models;

/// <summary>
/// A model in memory: its structure, and tensors whose bytes stay in the file until they are read. Holds the files open until disposed.
/// </summary>
public sealed class Model : IDisposable
{
    private readonly ImmutableArray<IDisposable> _files;

    /// <summary>Joins the pieces that a reader found.</summary>
    /// <param name="format">The format that it was read from.</param>
    /// <param name="tensors">All weights and constants, in the order of the file.</param>
    /// <param name="program">The graph, when the format has one.</param>
    /// <param name="metadata">Names and values that the file carries.</param>
    /// <param name="files">What to close in the end.</param>
    public Model(
        ModelFormat format,
        ImmutableArray<Tensor> tensors,
        GraphProgram? program,
        IReadOnlyDictionary<string, string> metadata,
        ImmutableArray<IDisposable> files)
    {
        Format = format;
        Tensors = tensors;
        Program = program;
        Metadata = metadata;
        _files = files;
    }

    /// <summary>The format that it was read from.</summary>
    public ModelFormat Format { get; }

    /// <summary>All weights and constants, in the order of the file, those of subgraphs and Constant nodes too.</summary>
    public ImmutableArray<Tensor> Tensors { get; }

    /// <summary>The graph; null for a format without one.</summary>
    public GraphProgram? Program { get; }

    /// <summary>Names and values that the file carries (<c>__metadata__</c>, <c>metadata_props</c>).</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Names of the parts, beside the main file, that the model's tensors lie in.</summary>
    public IReadOnlyCollection<string> UsedParts { get; init; } = [];

    /// <summary>What the reader noticed.</summary>
    public ImmutableArray<ModelFinding> Findings { get; init; } = [];

    /// <summary>What holds the files open, without the structure: whoever goes on reading one tensor disposes this instead of the model.</summary>
    public IDisposable Files => new OpenFiles(_files);

    /// <summary>
    /// The same tensors for another format, without a graph. They are read from this model's files, which must stay open; what comes back holds none. O(1).
    /// </summary>
    /// <param name="format">The format to write.</param>
    /// <exception cref="InvalidOperationException">The model has a graph.</exception>
    public Model WithFormat(ModelFormat format) => Program is null
        ? new Model(format, Tensors, program: null, Metadata, []) { Findings = Findings }
        : throw new InvalidOperationException($"A graph can't become {format}.");

    /// <inheritdoc/>
    public void Dispose() => Files.Dispose();

    private sealed class OpenFiles(ImmutableArray<IDisposable> files) : IDisposable
    {
        public void Dispose()
        {
            foreach (var file in files)
            {
                file.Dispose();
            }
        }
    }
}
