namespace Condense.Service.Library;

/// <summary>In which form a model's bytes are wanted.</summary>
internal enum ModelForm
{
    /// <summary>As the model is stored: standard operators, or plain tensors of factors and codes.</summary>
    Portable,

    /// <summary>The model that was compressed, with the weights of this one.</summary>
    Dense,
}
