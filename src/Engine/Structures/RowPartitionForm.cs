using System.Collections.Immutable;
using System.Text;
using System.Text.Json.Serialization;

namespace Condense.Engine.Structures;

/// <summary>
/// The shape of a <see cref="RowPartitionMatrix"/>: blocks of rows, one below the other, each of its own structure. The rows are neighbours, from the
/// first to the last, or stand in another order that is stored beside the blocks.
/// </summary>
public sealed record RowPartitionForm : StructureForm
{
    private readonly ImmutableArray<StructureForm> _blocks;

    /// <summary>Puts blocks one below the other.</summary>
    /// <param name="blocks">At least two, each of at least one row, all with the same number of columns.</param>
    /// <param name="permuted">Whether the rows stand in another order than in the matrix, so that the place of each is stored.</param>
    /// <exception cref="ArgumentException">The blocks break these laws, or have more rows together than an int holds.</exception>
    public RowPartitionForm(IReadOnlyList<StructureForm> blocks, bool permuted = false)
        : base(CountRows(blocks), blocks[0].Columns)
    {
        _blocks = [.. blocks];
        Permuted = permuted;
    }

    /// <summary>The blocks, from the first row to the last.</summary>
    public IReadOnlyList<StructureForm> Blocks => _blocks;

    /// <summary>Whether the place of each row among the blocks is stored, 32 bits a row; else rows stand where they stand in the matrix.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Permuted { get; }

    /// <inheritdoc/>
    [JsonIgnore]
    public override long StorageBits => _blocks.Sum(block => block.StorageBits) + (Permuted ? 32L * Rows : 0);

    /// <inheritdoc/>
    [JsonIgnore]
    public override long ParameterCount => _blocks.Sum(block => block.ParameterCount);

    /// <inheritdoc/>
    [JsonIgnore]
    public override long MultiplyAddsPerColumn => _blocks.Sum(block => block.MultiplyAddsPerColumn);

    /// <summary>Whether the other has the same shape, block by block.</summary>
    /// <param name="other">Another form.</param>
    public bool Equals(RowPartitionForm? other) => base.Equals(other) && Permuted == other!.Permuted && _blocks.SequenceEqual(other._blocks);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.Add(base.GetHashCode());
        hash.Add(Permuted);
        foreach (var block in _blocks)
        {
            hash.Add(block);
        }

        return hash.ToHashCode();
    }

    /// <summary>Prints the blocks in full, where a record would print the name of the list's type.</summary>
    protected override bool PrintMembers(StringBuilder builder)
    {
        base.PrintMembers(builder);
        builder.Append(", Blocks = [").AppendJoin(", ", _blocks).Append(Permuted ? "], Permuted" : "]");
        return true;
    }

    private static int CountRows(IReadOnlyList<StructureForm> blocks)
    {
        ArgumentNullException.ThrowIfNull(blocks);
        if (blocks.Count < 2)
        {
            throw new ArgumentException($"A partition has at least two blocks of rows, not {blocks.Count}.", nameof(blocks));
        }

        long rows = 0;
        for (int i = 0; i < blocks.Count; i++)
        {
            var block = blocks[i];
            if (block is null || block.Rows < 1)
            {
                throw new ArgumentException($"Block {i} has no rows; leave it out.", nameof(blocks));
            }

            if (block.Columns != blocks[0].Columns)
            {
                throw new ArgumentException($"Block {i} has {block.Columns} columns and block 0 has {blocks[0].Columns}: blocks of rows are equally wide.", nameof(blocks));
            }

            rows += block.Rows;
        }

        return rows <= int.MaxValue
            ? (int)rows
            : throw new ArgumentException($"The blocks have {rows} rows together, more than {int.MaxValue}.", nameof(blocks));
    }
}
