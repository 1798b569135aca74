using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Condense.Models;
using Condense.Models.Tensors;

namespace Condense.Pipeline.Stages;

/// <summary>
/// Finished work of a run, on disk: one safetensors file per piece, named by a digest of all that went into it. A file appears whole or not
/// at all, so whoever finds one may use it. What is not there may be had from other runs.
/// </summary>
internal sealed class LayerStore
{
    private readonly string _folder;
    private readonly IPieceExchange? _exchange;

    /// <summary>Opens the store, making its folder.</summary>
    /// <param name="folder">Where the pieces lie.</param>
    /// <param name="exchange">Where others' pieces are; null: nowhere.</param>
    public LayerStore(string folder, IPieceExchange? exchange = null)
    {
        _folder = folder;
        _exchange = exchange;
        Directory.CreateDirectory(folder);
    }

    /// <summary>The name of a piece: SHA-256 over the parts, lower-case hex. Equal parts, equal work.</summary>
    public static string Key(params ReadOnlySpan<string> parts)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string part in parts)
        {
            // The length first: ("ab", "c") and ("a", "bc") differ.
            byte[] bytes = Encoding.UTF8.GetBytes(part);
            hash.AppendData(BitConverter.GetBytes(bytes.LongLength));
            hash.AppendData(bytes);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Whether a piece is here, whole; fetched from others if need be.</summary>
    /// <param name="key">Its name.</param>
    /// <param name="shared">Whether others may have it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<bool> FindAsync(string key, bool shared, CancellationToken cancellationToken)
    {
        if (IsWhole(key))
        {
            return true;
        }

        return shared && _exchange is not null && await _exchange.FetchAsync(key, PathOf(key), cancellationToken) && IsWhole(key);
    }

    /// <summary>Opens a piece, or answers null when it is not there or not whole.</summary>
    public Model? TryOpen(string key)
    {
        string path = PathOf(key);
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            return ModelReader.Open(ModelParts.Single(path), ReadLimits.Default);
        }
        catch (ModelFormatException)
        {
            // A disk that lost what it had acknowledged: the piece is made again.
            File.Delete(path);
            return null;
        }
    }

    /// <summary>Stores a piece.</summary>
    /// <param name="key">Its name.</param>
    /// <param name="tensors">What it holds.</param>
    /// <param name="shared">Whether it is offered to others.</param>
    /// <param name="cancellationToken">Gives up; nothing is stored.</param>
    public async Task SaveAsync(string key, ImmutableArray<Tensor> tensors, bool shared, CancellationToken cancellationToken)
    {
        string path = PathOf(key);
        string staging = path + ".part";
        using (var model = new Model(ModelFormat.Safetensors, tensors, program: null, new Dictionary<string, string>(StringComparer.Ordinal), []))
        {
            await ModelWriter.WriteAsync(model, staging, cancellationToken);
        }

        File.Move(staging, path, overwrite: true);
        if (shared && _exchange is not null)
        {
            await _exchange.OfferAsync(key, path, cancellationToken);
        }
    }

    /// <summary>One tensor of a piece, read into memory.</summary>
    /// <exception cref="InvalidOperationException">The piece is gone: somebody else cleared the folder while the run used it.</exception>
    public MemoryTensorData Load(string key, string tensor)
    {
        using var piece = TryOpen(key) ?? throw new InvalidOperationException($"The finished layer {key} has vanished from the work folder.");
        var found = piece.Tensors.First(candidate => string.Equals(candidate.Name, tensor, StringComparison.Ordinal));
        byte[] bytes = new byte[checked((int)found.Data.ByteLength)];
        found.Data.Read(0, bytes);
        return new MemoryTensorData(bytes);
    }

    private bool IsWhole(string key)
    {
        using var piece = TryOpen(key);
        return piece is not null;
    }

    private string PathOf(string key) => Path.Combine(_folder, key + ".safetensors");
}
