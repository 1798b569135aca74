namespace Condense.Models.Formats.Onnx;

/// <summary>
/// Reads SparseTensorProto messages. They are checked like other tensors and kept as bytes; elements that lie outside the file are copied in, so
/// that the bytes stand alone.
/// </summary>
/// <param name="reader">The file's reader.</param>
/// <param name="tensors">Reads the values and the indices.</param>
/// <param name="budget">The limits.</param>
internal sealed class SparseTensorReader(WireReader reader, OnnxTensorReader tensors, ReadBudget budget)
{
    /// <summary>Reads the sparse tensor of the last field.</summary>
    /// <param name="name">The name of its values, which is the tensor's own.</param>
    /// <returns>The field, encoded.</returns>
    internal byte[] Read(out string name)
    {
        int field = reader.Field;
        int externalBefore = tensors.ExternalCount;
        var rest = new UnknownFields();
        var parts = new List<(int Field, Graph.Initializer Tensor)>();
        long start = reader.FieldStart;
        long outer = reader.Enter();
        while (reader.TryReadTag())
        {
            if (reader.Field is SparseField.Values or SparseField.Indices)
            {
                parts.Add((reader.Field, tensors.Read()));
            }
            else
            {
                rest.Keep(reader);
            }
        }

        reader.Leave(outer);
        name = parts.Find(part => part.Field == SparseField.Values).Tensor?.Tensor.Name ?? "";
        if (tensors.ExternalCount == externalBefore)
        {
            return reader.Copy(new(start, reader.Position - start));
        }

        var message = new MessageBuilder();
        message.AddRaw(rest.ToImmutable().AsSpan());
        foreach (var (number, tensor) in parts.AsEnumerable().Reverse())
        {
            GraphEncoder.AddTensor(message, number, tensor, ExternalLayout.None);
        }

        message.AddPrefix(field, 0);
        budget.Keep(message.Length, start);
        return message.ToArray();
    }
}
