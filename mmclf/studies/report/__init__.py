"""Tables, plots and page of tracked runs.

artifacts  what runs predicted, from their artifacts
result     a study's result, out of its runs
errors     what the best arm gets wrong
tables     the result as tables, and any table as text
words      the result in words
page       the result as a web page
show       the result on a terminal
publish    a study's folder
"""
