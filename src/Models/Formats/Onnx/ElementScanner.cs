using System.Collections.Immutable;
using Condense.Models.Tensors;

namespace Condense.Models.Formats.Onnx;

/// <summary>Notes where the elements of a tensor's typed field stand, counting them on the way. The elements are not kept.</summary>
/// <param name="fieldNumber">The field's number.</param>
internal sealed class ElementScanner(int fieldNumber)
{
    // An element is found by walking from the start of its run, and a run costs 32 bytes: this keeps both small.
    private const int MaxRun = 4096;
    private const int RunBytes = 32;

    private readonly ImmutableArray<EncodedElements>.Builder _runs = ImmutableArray.CreateBuilder<EncodedElements>();
    private long _end;

    /// <summary>The field's number.</summary>
    internal int Field => fieldNumber;

    /// <summary>Elements so far; of text, bytes with their tags.</summary>
    internal long Count { get; private set; }

    /// <summary>Texts so far.</summary>
    internal long Texts { get; private set; }

    /// <summary>Bytes of an element as it is encoded; 0 for variable-length integers.</summary>
    internal int FixedBytes => fieldNumber switch
    {
        TensorField.FloatData => sizeof(float),
        TensorField.DoubleData => sizeof(double),
        TensorField.StringData => 1,
        _ => 0,
    };

    /// <summary>Takes an occurrence of the field, packed or not.</summary>
    /// <param name="reader">Stands after the tag.</param>
    /// <param name="budget">Counts the runs.</param>
    internal void Scan(WireReader reader, ReadBudget budget)
    {
        if (Field == TensorField.StringData)
        {
            reader.Skip();
            reader.Expect(WireType.Bytes);
            Texts++;
            Add(reader.FieldRange, tagBytes: 0, reader.FieldRange.Length, budget);
        }
        else if (reader.Type == WireType.Bytes)
        {
            ScanPacked(reader, budget);
        }
        else
        {
            int tagBytes = (int)(reader.Position - reader.FieldStart);
            reader.Expect(FixedBytes switch { 4 => WireType.Fixed32, 8 => WireType.Fixed64, _ => WireType.Varint });
            reader.Skip();
            Add(reader.FieldRange, tagBytes, 1, budget);
        }
    }

    /// <summary>The elements as little-endian bytes.</summary>
    /// <param name="file">The file that was scanned.</param>
    /// <param name="width">Bytes of an element when decoded.</param>
    /// <param name="boolean">Whether anything but zero counts as one.</param>
    internal TensorData ToData(TensorData file, int width, bool boolean) =>
        new EncodedTensorData(file, _runs.ToImmutable(), FixedBytes, width, boolean);

    private void ScanPacked(WireReader reader, ReadBudget budget)
    {
        if (FixedBytes > 0)
        {
            var range = reader.ReadRange();
            if (range.Length % FixedBytes != 0)
            {
                throw new ModelFormatException(
                    ModelFormatError.InvalidEncoding,
                    $"Packed field {Field} has {range.Length} bytes, not a multiple of {FixedBytes}.",
                    range.Start);
            }

            Add(range, tagBytes: 0, range.Length / FixedBytes, budget);
            return;
        }

        long outer = reader.EnterPacked();
        while (reader.Position < reader.End)
        {
            long start = reader.Position;
            int count = 0;
            for (; count < MaxRun && reader.Position < reader.End; count++)
            {
                reader.ReadVarint();
            }

            Add(new(start, reader.Position - start), tagBytes: 0, count, budget);
        }

        reader.LeavePacked(outer);
    }

    private void Add(FileRange range, int tagBytes, long count, ReadBudget budget)
    {
        // Only packed numbers of fixed length are found without walking.
        long capacity = FixedBytes > 0 && tagBytes == 0 ? long.MaxValue : MaxRun;
        if (_runs.Count > 0 && _end == range.Start && _runs[^1].TagBytes == tagBytes && count <= capacity - _runs[^1].Count)
        {
            _runs[^1] = _runs[^1] with { Count = _runs[^1].Count + count };
        }
        else if (count > 0)
        {
            budget.Keep(RunBytes, range.Start);
            _runs.Add(new(range.Start, Count, tagBytes, count));
        }

        Count += count;
        _end = range.End;
    }
}
