namespace Dsd.Evaluation.Running;

/// <summary>What is to be measured is not there, or cannot be told apart. The message says what was expected and found.</summary>
public sealed class EvaluationException : IOException
{
    internal EvaluationException(string place, string expected, string found, Exception? inner = null)
        : base($"{place}: expected {expected}, found {found}.", inner)
    {
    }
}
