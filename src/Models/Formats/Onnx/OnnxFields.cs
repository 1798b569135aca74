namespace Condense.Models.Formats.Onnx;

// The numbers of ONNX's protocol-buffers fields that are interpreted; any other field is kept as bytes.

internal static class ModelField
{
    internal const int IrVersion = 1;
    internal const int ProducerName = 2;
    internal const int ProducerVersion = 3;
    internal const int Domain = 4;
    internal const int ModelVersion = 5;
    internal const int DocString = 6;
    internal const int Graph = 7;
    internal const int OpsetImport = 8;
    internal const int Metadata = 14;
    internal const int TrainingInfo = 20;
    internal const int Functions = 25;
}

internal static class OpsetField
{
    internal const int Domain = 1;
    internal const int Version = 2;
}

internal static class EntryField
{
    internal const int Key = 1;
    internal const int Value = 2;
}

internal static class TrainingField
{
    internal const int Initialization = 1;
    internal const int Algorithm = 2;
}

internal static class FunctionField
{
    internal const int Name = 1;
    internal const int Inputs = 4;
    internal const int Outputs = 5;
    internal const int Attributes = 6;
    internal const int Nodes = 7;
    internal const int DocString = 8;
    internal const int OpsetImport = 9;
    internal const int Domain = 10;
    internal const int AttributeDefaults = 11;
    internal const int Values = 12;
    internal const int Overload = 13;
}

internal static class GraphField
{
    internal const int Nodes = 1;
    internal const int Name = 2;
    internal const int Initializers = 5;
    internal const int DocString = 10;
    internal const int Inputs = 11;
    internal const int Outputs = 12;
    internal const int Values = 13;
    internal const int SparseInitializers = 15;
}

internal static class NodeField
{
    internal const int Inputs = 1;
    internal const int Outputs = 2;
    internal const int Name = 3;
    internal const int OpType = 4;
    internal const int Attributes = 5;
    internal const int DocString = 6;
    internal const int Domain = 7;
    internal const int Overload = 8;
}

internal static class AttributeField
{
    internal const int Name = 1;
    internal const int Float = 2;
    internal const int Int = 3;
    internal const int String = 4;
    internal const int Tensor = 5;
    internal const int Graph = 6;
    internal const int Floats = 7;
    internal const int Ints = 8;
    internal const int Strings = 9;
    internal const int Tensors = 10;
    internal const int Graphs = 11;
    internal const int DocString = 13;
    internal const int TypeProto = 14;
    internal const int TypeProtos = 15;
    internal const int Kind = 20;
    internal const int Reference = 21;
    internal const int SparseTensor = 22;
    internal const int SparseTensors = 23;
}

internal static class TensorField
{
    internal const int Dims = 1;
    internal const int DataType = 2;
    internal const int Segment = 3;
    internal const int FloatData = 4;
    internal const int Int32Data = 5;
    internal const int StringData = 6;
    internal const int Int64Data = 7;
    internal const int Name = 8;
    internal const int RawData = 9;
    internal const int DoubleData = 10;
    internal const int UInt64Data = 11;
    internal const int DocString = 12;
    internal const int ExternalData = 13;
    internal const int DataLocation = 14;
}

internal static class SparseField
{
    internal const int Values = 1;
    internal const int Indices = 2;
}

internal static class ValueField
{
    internal const int Name = 1;
    internal const int Type = 2;
    internal const int DocString = 3;
}

internal static class TypeField
{
    internal const int Tensor = 1;
    internal const int Sequence = 4;
    internal const int Map = 5;
    internal const int SparseTensor = 8;
    internal const int Optional = 9;

    /// <summary>Within Tensor, Sequence, Optional and SparseTensor: the type of the elements.</summary>
    internal const int ElementType = 1;

    /// <summary>Within Tensor and SparseTensor.</summary>
    internal const int Shape = 2;

    /// <summary>Within Map.</summary>
    internal const int MapValue = 2;
}

internal static class ShapeField
{
    internal const int Dimension = 1;
    internal const int DimensionValue = 1;
    internal const int DimensionName = 2;
}
