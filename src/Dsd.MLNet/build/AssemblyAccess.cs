using System.Runtime.CompilerServices;

// The compiler sees these members as public (build/PublicMLCore.targets); these lines are what lets the running program use them.
[assembly: IgnoresAccessChecksTo("Microsoft.ML.Core")]
[assembly: IgnoresAccessChecksTo("Microsoft.ML.Data")]
