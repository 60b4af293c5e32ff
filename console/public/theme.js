// Runs before the first paint, so that a chosen theme never flashes. The policy forbids inline scripts, hence a file.
{
  const theme = localStorage.getItem("seamark-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
}
