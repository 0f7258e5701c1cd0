namespace Dsd.Tiny.World;

/// <summary>The value of one attribute of a subject or a context, in a form that a classifier with one head per attribute can use.</summary>
/// <param name="Name">The attribute's name, lower case with underscores, such as <c>pattern_color</c>.</param>
/// <param name="Value">The index of the value, from 0 and below <paramref name="Count"/>.</param>
/// <param name="ValueName">The value's name, such as <c>Striped</c>.</param>
/// <param name="Count">How many values the attribute has.</param>
internal readonly record struct AttributeValue(string Name, int Value, string ValueName, int Count);
