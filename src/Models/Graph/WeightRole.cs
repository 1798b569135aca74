namespace Condense.Models.Graph;

/// <summary>What a weight does in its model.</summary>
public enum WeightRole
{
    /// <summary>A table whose rows are looked up.</summary>
    Embedding,

    /// <summary>The last projection, to a vocabulary or to classes.</summary>
    Softmax,

    /// <summary>A matrix product.</summary>
    Linear,

    /// <summary>A projection of attention: query, key, value or output.</summary>
    Attention,

    /// <summary>The input matrix of an LSTM.</summary>
    LstmInput,

    /// <summary>The recurrent matrix of an LSTM.</summary>
    LstmRecurrent,

    /// <summary>The input matrix of a GRU.</summary>
    GruInput,

    /// <summary>The recurrent matrix of a GRU.</summary>
    GruRecurrent,

    /// <summary>The input matrix of a plain recurrent layer.</summary>
    RnnInput,

    /// <summary>The recurrent matrix of a plain recurrent layer.</summary>
    RnnRecurrent,

    /// <summary>The kernels of a convolution.</summary>
    Conv,

    /// <summary>Anything else: biases, norms, tables of indices, constants.</summary>
    Other,
}
