namespace Condense.Models;

/// <summary>Why a model file was refused.</summary>
public enum ModelFormatError
{
    /// <summary>The bytes are of no format that is read.</summary>
    UnsupportedFormat,

    /// <summary>The file has no bytes.</summary>
    EmptyFile,

    /// <summary>The file ends before what it declares.</summary>
    Truncated,

    /// <summary>The file is shorter than the fixed part of its header.</summary>
    HeaderTooSmall,

    /// <summary>The header declares more bytes than the limit or the file allow.</summary>
    HeaderTooLarge,

    /// <summary>The declared header length passes the end of the file.</summary>
    InvalidHeaderLength,

    /// <summary>The header's text is not valid UTF-8, does not begin as it must, or (NPY) is not the dictionary that the format asks for.</summary>
    InvalidHeader,

    /// <summary>The header is not the JSON that the format asks for.</summary>
    InvalidHeaderDeserialization,

    /// <summary>A name stands twice.</summary>
    DuplicateName,

    /// <summary>A tensor's range starts where it must not: there is a gap or an overlap.</summary>
    InvalidOffset,

    /// <summary>The tensors do not cover the file's data exactly.</summary>
    MetadataIncompleteBuffer,

    /// <summary>A tensor's shape and dtype do not agree with its number of bytes.</summary>
    TensorInvalidInfo,

    /// <summary>Sizes overflow when multiplied or added.</summary>
    ValidationOverflow,

    /// <summary>A dtype that the format does not know.</summary>
    UnknownDType,

    /// <summary>The protocol-buffers encoding is broken.</summary>
    InvalidEncoding,

    /// <summary>Messages or graphs are nested too deeply.</summary>
    TooDeep,

    /// <summary>More items, or a longer name, than the limits allow.</summary>
    LimitExceeded,

    /// <summary>The graph contradicts itself or the ONNX specification.</summary>
    InvalidGraph,

    /// <summary>An operator-set or IR version that is not read.</summary>
    UnsupportedVersion,

    /// <summary>External data names a place outside its own parts, or carries attributes that are not allowed.</summary>
    UnsafeExternalData,

    /// <summary>A part that the model refers to is absent.</summary>
    MissingPart,

    /// <summary>A pickle does more than hold tensors: it names a function or uses an instruction that is not on the list of harmless ones.</summary>
    UnsafePickle,

    /// <summary>A pickle breaks the laws of its own format.</summary>
    InvalidPickle,

    /// <summary>A zip archive contradicts itself, or carries irregularities that readers disagree about.</summary>
    InvalidArchive,

    /// <summary>A zip archive uses what is not read: encryption, several disks, a rare method of compression.</summary>
    UnsupportedArchive,

    /// <summary>An archive would unpack to more than the limits allow.</summary>
    ArchiveBomb,

    /// <summary>A node has no faithful form in the opset that the model is converted to.</summary>
    UnsupportedOperator,
}
